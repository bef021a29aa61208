import fs from "node:fs";
import { type Dependency, formatAfter, parseAfter } from "../job/after.js";
import { FjordError } from "../job/error.js";
import { quote, visible } from "../job/quote.js";
import { shellWord } from "../job/shell-words.js";
import { namesOf } from "../jobs/numbers.js";
import type { Project } from "../library/project.js";
import { fromHere } from "../project/current-directory.js";
import type { Draft } from "../submission/draft.js";
import { sharedLogfiles } from "../submission/shared-logfiles.js";
import { slipsOf } from "../submission/slips.js";
import { draftsOf, type Wanted } from "../submission/wanted.js";
import { type WishArgs, wishesOf } from "./job-wishes.js";
import { note } from "./main.js";
import { text, texts } from "./option.js";
import { type SweepArgs, sweepOf } from "./sweep-options.js";
import type { Common } from "./verb.js";
import { some } from "./wording.js";

/** Arguments that describe the wanted jobs: files or a command, how the jobs run, and how many jobs there are. */
export interface JobArgs extends Common, WishArgs, SweepArgs {
  /** `run` or `submit`. */
  readonly verb: string;
  readonly files: string[];
  /** The words after `--`. */
  readonly behind: readonly string[];
  readonly name: string | undefined;
  readonly after: string[] | undefined;
}

/** Job files that a verb takes. */
export const FILES = {
  type: "string",
  array: true,
  default: [] as string[],
  describe: "job files, and folders of them",
} as const;

/** Options for the jobs of one command line, without the options that make many jobs. */
export const JOB_OPTIONS = {
  name: text("the job's name"),
  logfile: text("where the job's results go"),
  workdir: text("directory in which the job runs [a command: here; a job file: as the file says]"),
  after: texts("JOB: begin when it has succeeded; JOB:any: when it has ended; several times: when all have"),
  priority: text("a job of higher priority begins first [0]"),
  retries: text("number of retries after a failure [0]"),
  timeout: text("longest time that an attempt may take: 90, 30m, 2h"),
  nice: text("nice value, from -20 to 19"),
  shell: text("shell that runs the command line, such as /bin/bash"),
  env: { ...texts("NAME=VALUE: set this variable for the job"), alias: "e" },
  export: text("NAME,NAME…: copy these variables from this shell"),
};

/**
 * Makes drafts of the jobs that the arguments describe. Warns on standard error about words that look like mistakes.
 *
 * @param project holds the jobs that `--after` names
 * @param run for `fjord run`: the directory in which its workers are hired, and the file of its table
 * @throws FjordError `bad-usage`, `job-refused`, `no-such-job`
 */
export async function draftsWanted(
  args: JobArgs,
  project: Project | undefined,
  run: { readonly directory?: string; readonly table?: string | undefined } = {},
): Promise<Draft[]> {
  const wanted = await wantedOf(args, project);
  tell(slipsOf(wanted));
  const drafts = draftsOf(wanted);
  tell(sharedLogfiles(drafts, { sweep: wanted.sweep, ...run }));
  return drafts;
}

function tell(slips: readonly string[]): void {
  for (const slip of slips) note("fjord", visible(slip));
}

async function wantedOf(args: JobArgs, project: Project | undefined): Promise<Wanted> {
  const { name, files, behind, exe, parameters } = args;
  refuseWords(args);
  if (parameters !== undefined && exe === undefined) {
    throw new FjordError("bad-usage", "--parameters needs --exe.", "Or write --param NAME=VALUE,VALUE…");
  }
  const sweep = await sweepOf(args);
  return {
    ...wishesOf(args),
    ...(args.after !== undefined && { after: await afterOf(args.after, project) }),
    ...{ files, command: behind },
    ...(args.array !== undefined && { array: args.array }),
    ...(exe !== undefined && { exe }),
    ...(sweep !== undefined && { sweep }),
    ...(name !== undefined && { name }),
  };
}

/** Refuses `fjord submit echo hi`: no word is a file or looks like the name of one, so the words are a command. */
function refuseWords({ verb, files, behind }: JobArgs): void {
  const isFile = (word: string) =>
    word.endsWith(".ini") || word.endsWith("/") || fs.existsSync(fromHere(word));
  if (files.length === 0 || behind.length > 0 || files.some(isFile)) return;
  const [first = "", ...more] = files;
  const what =
    more.length === 0 ? `There is no file ${quote(first)}.` : `None of these is a file: ${some(files)}.`;
  throw new FjordError(
    "bad-usage",
    what,
    `Write a command after --: fjord ${verb} -- ${files.map(shellWord).join(" ")}`,
  );
}

/**
 * Replaces names, patterns and ranges by the names of the jobs that exist now. The new jobs do not wait for jobs that are
 * submitted later.
 */
async function afterOf(words: readonly string[], project: Project | undefined): Promise<string> {
  const after: Dependency[] = [];
  for (const word of words) {
    const [{ job, on } = { job: "", on: "ok" as const }, ...more] = parseAfter(word) ?? [];
    if (job === "" || more.length > 0) {
      throw new FjordError(
        "bad-usage",
        `--after: found ${quote(word)}.`,
        "Write --after JOB, --after JOB:any.",
      );
    }
    if (project === undefined)
      throw new FjordError("no-such-job", `There is no job ${quote(job)}: no project yet.`);
    const isArray = (await project.arrays([job])).length > 0;
    for (const name of isArray ? [job] : namesOf(await project.jobs([job]))) {
      if (name.includes(",")) {
        throw new FjordError("bad-usage", `No job can wait for ${quote(name)}: its name holds a comma.`);
      }
      after.push({ job: name, on });
    }
  }
  return formatAfter(after);
}
