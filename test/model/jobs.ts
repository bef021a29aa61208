/** A job or an array of jobs, and the course of its runs. */
export interface JobPlan {
  readonly name: string;
  /** Time of the submission, in ms after the beginning. */
  readonly submittedAt: number;
  readonly takes: number;
  /** Number of runs that fail. A job has one retry. */
  readonly fails: "never" | "first" | "always";
  /** Whether the job ignores SIGTERM. */
  readonly isDeaf: boolean;
  /** How often the job leaves a checkpoint and asks for another run before its other runs. Undefined means never. */
  readonly requeues?: number;
  /** The jobs for which the job waits, as in the key `after`. */
  readonly after?: string;
  /** Numbers of the array, for example `1-4`. If undefined, the plan is a single job. */
  readonly range?: string;
  /**
   * How the file comes into the queue: it is `submitted` (the default), `moved`, or copied in three pieces. The pauses
   * between the pieces, in ms, are shorter than the settle time, after which a file counts as complete.
   */
  readonly arrives?: "submitted" | "moved" | { readonly pauses: readonly [number, number] };
}

const REQUEUE = 75;
const RETRIES = 1;

/** A command that is long enough to be cut off, and that differs from all others. */
function commandOf(plan: JobPlan, index: number): string {
  return `run ${plan.name}.${index} ${"-".repeat(100)} to the end`;
}

export function planOf(plans: readonly JobPlan[], command: string | undefined): JobPlan | undefined {
  return plans.find((plan, index) => commandOf(plan, index) === command);
}

export function textOf(plan: JobPlan, index: number): string {
  const lines = ["[control]", `executable = ${commandOf(plan, index)}`, `retries = ${RETRIES}`];
  if (plan.requeues !== undefined) lines.push(`requeue_exit = ${REQUEUE}`);
  if (plan.after !== undefined) lines.push(`after = ${plan.after}`);
  if (plan.range !== undefined) lines.push("[array]", `range: ${plan.range}`);
  return `${lines.join("\n")}\n`;
}

/** The names of the jobs in a plan. */
export function namesOf({ name, range }: JobPlan): string[] {
  return range === undefined ? [name] : numbersIn(range).map((number) => `${name}_${number}`);
}

/** @param range `4`, `1-4` or `1-7:2`, or several of these with commas */
export function numbersIn(range: string): number[] {
  return range.split(",").flatMap((part) => {
    const [, from = "", to = from, step = "1"] = /^(\d+)(?:-(\d+)(?::(\d+))?)?$/.exec(part) ?? [];
    const count = Math.floor((Number(to) - Number(from)) / Number(step)) + 1;
    return Array.from({ length: count }, (_, n) => Number(from) + n * Number(step));
  });
}

/** The jobs for which a plan waits, and whether they must succeed. */
export function dependenciesOf({ after }: JobPlan): { name: string; isToSucceed: boolean }[] {
  if (after === undefined) return [];
  return after.split(", ").map((word) => ({
    name: word.replace(/:any$/, ""),
    isToSucceed: !word.endsWith(":any"),
  }));
}

/** @param ended exit codes of the job's complete runs up to now */
export function statusOf(plan: JobPlan, ended: readonly number[], runs: number): number {
  const requeued = ended.filter((status) => status === REQUEUE).length;
  if (requeued < (plan.requeues ?? 0)) return REQUEUE;
  const isFirst = runs === requeued;
  return plan.fails === "always" || (plan.fails === "first" && isFirst) ? 1 : 0;
}

export function leavesCheckpoint(status: number): boolean {
  return status === REQUEUE;
}

/** The directory in which the plan's jobs end when no operator interferes. */
export function endOf(plan: JobPlan, plans: readonly JobPlan[]): "jobdone" | "jobfailed" | "jobcancelled" {
  const isInVain = dependenciesOf(plan).some(({ name, isToSucceed }) => {
    const other = plans.find((one) => one.name === name);
    return isToSucceed && other !== undefined && endOf(other, plans) !== "jobdone";
  });
  if (isInVain) return "jobcancelled";
  return plan.fails === "always" ? "jobfailed" : "jobdone";
}

export const ALLOWED_RETRIES = RETRIES;
