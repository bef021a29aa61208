/** A job, or an array of them, as it will go. */
export interface JobPlan {
  readonly name: string;
  /** ms after the beginning. */
  readonly submittedAt: number;
  readonly takes: number;
  /** Of which runs it fails; it has one retry. */
  readonly fails: "never" | "first" | "always";
  /** Whether it does not hear SIGTERM. */
  readonly isDeaf: boolean;
  /** How often it leaves a checkpoint and asks to be run again, before all that; never if not said. */
  readonly requeues?: number;
  /** Which jobs it waits for, as its file says it. */
  readonly after?: string;
  /** It is an array of these numbers: `1-4`. */
  readonly range?: string;
  /**
   * How it comes into the queue: `submitted`, if not said; `copied` in three pieces; `moved` there. The pauses of who writes,
   * ms, are shorter than the time after which a file counts as whole.
   */
  readonly arrives?: "submitted" | "moved" | { readonly pauses: readonly [number, number] };
}

const REQUEUE = 75;
const RETRIES = 1;

/** Long enough to be torn, and told from all others. */
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

/** The jobs that a plan stands for, by name. */
export function namesOf({ name, range }: JobPlan): string[] {
  return range === undefined ? [name] : numbersIn(range).map((number) => `${name}_${number}`);
}

/** @param range `4`, `1-4` or `1-7:2`, several with commas */
export function numbersIn(range: string): number[] {
  return range.split(",").flatMap((part) => {
    const [, from = "", to = from, step = "1"] = /^(\d+)(?:-(\d+)(?::(\d+))?)?$/.exec(part) ?? [];
    const count = Math.floor((Number(to) - Number(from)) / Number(step)) + 1;
    return Array.from({ length: count }, (_, n) => Number(from) + n * Number(step));
  });
}

/** The names of those that a plan waits for, and whether they have to succeed. */
export function dependenciesOf({ after }: JobPlan): { name: string; isToSucceed: boolean }[] {
  if (after === undefined) return [];
  return after.split(", ").map((word) => ({
    name: word.replace(/:any$/, ""),
    isToSucceed: !word.endsWith(":any"),
  }));
}

/** @param ended exit codes of the job's runs up to now that have come to their end */
export function statusOf(plan: JobPlan, ended: readonly number[], runs: number): number {
  const requeued = ended.filter((status) => status === REQUEUE).length;
  if (requeued < (plan.requeues ?? 0)) return REQUEUE;
  const isFirst = runs === requeued;
  return plan.fails === "always" || (plan.fails === "first" && isFirst) ? 1 : 0;
}

export function leavesCheckpoint(status: number): boolean {
  return status === REQUEUE;
}

/** Where its jobs have to end when nobody interferes. */
export function endOf(plan: JobPlan, plans: readonly JobPlan[]): "jobdone" | "jobfailed" | "jobcancelled" {
  const isInVain = dependenciesOf(plan).some(({ name, isToSucceed }) => {
    const other = plans.find((one) => one.name === name);
    return isToSucceed && other !== undefined && endOf(other, plans) !== "jobdone";
  });
  if (isInVain) return "jobcancelled";
  return plan.fails === "always" ? "jobfailed" : "jobdone";
}

export const ALLOWED_RETRIES = RETRIES;
