import type { Options, PositionalOptions } from "yargs";
import { FjordError } from "../job/error.js";
import { DRY_RUN, JSON_OPTION } from "./option.js";

/** Arguments of every verb. */
export interface Common {
  readonly project: string | undefined;
}

/** A command line, and what it does. */
type Example = readonly [line: string, does: string];

/** The words and options of a verb. They define its help and how its command line is read. */
export interface VerbHelp {
  /** Options beside `--project`, `--help` and `--version`, by their names. */
  readonly options: Readonly<Record<string, Options>>;
  /** Words that are not options, by their names in the usage. */
  readonly words?: Readonly<Record<string, PositionalOptions>>;
  readonly examples: readonly Example[];
  /** Text below the examples. */
  readonly notes?: string;
}

/** One verb: a file in `verbs/`, loaded when the verb is called. */
export interface Verb<A extends Common> extends VerbHelp {
  /** @returns the exit code */
  run(args: A): Promise<number>;
}

/** Words for jobs, the same for all verbs that take jobs. */
export const JOBS = {
  type: "string",
  array: true,
  default: [] as string[],
  describe: "names, patterns ('run*') and ranges ('run{1..50}')",
} as const;

/** @throws FjordError `bad-usage` if no job is named */
export function needJobs(jobs: readonly string[]): void {
  if (jobs.length === 0) throw new FjordError("bad-usage", "Say which jobs.", "fjord list shows all jobs.");
}

/** Arguments of a verb that changes jobs. */
export interface ActArgs extends Common {
  readonly jobs: string[];
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** Options of a verb that changes jobs. */
export const ACT_OPTIONS = { "dry-run": DRY_RUN, json: JSON_OPTION };
