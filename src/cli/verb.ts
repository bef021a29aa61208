import type { ArgumentsCamelCase, Argv } from "yargs";
import { FjordError } from "../job/error.js";
import { visible } from "../job/quote.js";

/** What every verb is told. */
export interface Common {
  readonly project: string | undefined;
}

/** One verb of `fjord`: a file in `verbs/`, loaded when it is called. */
export interface Verb<A extends Common> {
  /** Declares its options and arguments on what it is given. */
  options(y: Argv<Common>): void;
  /** @returns the exit code */
  run(args: ArgumentsCamelCase<A>): Promise<number>;
}

/** Words for jobs, the same for all verbs that take them. */
export const JOBS = {
  type: "string",
  array: true,
  default: [] as string[],
  describe: "names, patterns ('run*') and ranges ('run{1..50}')",
} as const;

/** What acts on jobs can tell beforehand what it would do. */
export const DRY_RUN = {
  type: "boolean",
  default: false,
  describe: "only tell what would be done",
} as const;

/** @throws FjordError `bad-usage` when no job is said */
export function needJobs(jobs: readonly string[]): void {
  if (jobs.length === 0) throw new FjordError("bad-usage", "Say which jobs.", "fjord list shows all jobs.");
}

export const JSON_OPTION = { type: "boolean", default: false, describe: "print JSON" } as const;

/** What a verb is told that acts on jobs. */
export interface ActArgs extends Common {
  readonly jobs: string[];
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** Declares on which jobs it acts, and how it tells of it. */
export function actOptions(y: Argv<Common>) {
  return y.positional("jobs", JOBS).option("dry-run", DRY_RUN).option("json", JSON_OPTION);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** `1 job`, `12 jobs`. */
export function count(n: number, noun = "job"): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/** Jobs by a name: numbers of an array share one. */
export interface Named {
  readonly job: string;
  /** How many jobs it stands for; 1 if not said. */
  readonly count?: number;
}

/** How many jobs those are that some of which stand for many. */
export function total(ones: readonly Pick<Named, "count">[]): number {
  return ones.reduce((sum, one) => sum + (one.count ?? 1), 0);
}

/** Names that a sentence holds. */
const MOST = 5;

/** Names for a sentence: the first few, and how many more. */
export function some(names: readonly string[], most = MOST): string {
  return someOf(
    names.map((job) => ({ job })),
    most,
  );
}

/** The same of jobs, of which those come first that stand for many. */
export function someOf(ones: readonly Named[], most = MOST): string {
  const shown = ones.toSorted((a, b) => (b.count ?? 1) - (a.count ?? 1)).slice(0, most);
  const more = total(ones) - total(shown);
  return shown.map(({ job }) => visible(job)).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
