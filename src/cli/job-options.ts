import fs from "node:fs";
import type { Argv } from "yargs";
import type { Project } from "../compose/project.js";
import { slipsOf } from "../compose/slips.js";
import type { Wanted } from "../compose/wanted.js";
import { type Dependency, formatAfter, parseAfter } from "../job/after.js";
import { FjordError } from "../job/error.js";
import { quote, visible } from "../job/quote.js";
import { shellWord } from "../job/shell-words.js";
import { namesOf } from "../report/arrays.js";
import { type WishArgs, wishesOf } from "./job-wishes.js";
import { type SweepArgs, sweepOf } from "./sweep-options.js";
import { type Common, some } from "./verb.js";

/** What says which jobs are wanted: files or a command, how they are to be run, and how many. */
export interface JobArgs extends Common, WishArgs, SweepArgs {
  /** The verb. */
  readonly _: readonly (string | number)[];
  readonly files: string[];
  /** What stands behind `--`. */
  readonly behind: readonly string[];
  readonly name: string | undefined;
  readonly after: string[] | undefined;
}

/** Declares the options that say which jobs are wanted, all but those for many at once. */
export function jobOptions(y: Argv<Common>) {
  return y
    .positional("files", {
      type: "string",
      array: true,
      default: [] as string[],
      describe: "job files, and folders of them",
    })
    .option("name", { type: "string", requiresArg: true, describe: "the job's name" })
    .option("logfile", { type: "string", requiresArg: true, describe: "where its results go" })
    .option("workdir", {
      type: "string",
      requiresArg: true,
      describe: "where it runs [a command: here; a job file: as it says]",
    })
    .option("after", {
      type: "string",
      array: true,
      requiresArg: true,
      nargs: 1,
      describe: "JOB, JOB:any: begin when that one has succeeded, or just ended; again: when all have",
    })
    .option("priority", { type: "string", requiresArg: true, describe: "higher goes first [0]" })
    .option("retries", { type: "string", requiresArg: true, describe: "how often to try again [0]" })
    .option("timeout", { type: "string", requiresArg: true, describe: "how long it may take: 90, 30m, 2h" })
    .option("nice", { type: "string", requiresArg: true, describe: "-20 to 19" })
    .option("env", {
      alias: "e",
      type: "string",
      array: true,
      requiresArg: true,
      nargs: 1,
      describe: "NAME=VALUE in its environment",
    })
    .option("export", {
      type: "string",
      requiresArg: true,
      describe: "NAME,NAME…: take these from this shell's environment",
    });
}

/**
 * The jobs that the options ask for. What looks like a slip is told on standard error.
 *
 * @param project where the jobs are that they are to run after
 * @throws FjordError `bad-usage`, `no-such-job`
 */
export async function wantedOf(args: JobArgs, project: Project | undefined): Promise<Wanted> {
  const { name, files, behind, exe, parameters } = args;
  refuseWords(args);
  if (parameters !== undefined && exe === undefined) {
    throw new FjordError("bad-usage", "--parameters needs --exe.", "Or write --param NAME=VALUE,VALUE…");
  }
  const sweep = await sweepOf(args);
  const wanted = {
    ...wishesOf(args),
    ...(args.after !== undefined && { after: await afterOf(args.after, project) }),
    ...{ files, command: behind },
    ...(args.array !== undefined && { array: args.array }),
    ...(exe !== undefined && { exe }),
    ...(sweep !== undefined && { sweep }),
    ...(name !== undefined && { name }),
  };
  for (const slip of slipsOf(wanted)) process.stderr.write(`[fjord] ${visible(slip)}\n`);
  return wanted;
}

/** `fjord submit echo hi`: none of it is a file, or is called as one is, so a command is meant. */
function refuseWords({ _: [verb = "submit"], files, behind }: JobArgs): void {
  const isFile = (word: string) => word.endsWith(".ini") || word.endsWith("/") || fs.existsSync(word);
  if (files.length === 0 || behind.length > 0 || files.some(isFile)) return;
  const [first = "", ...more] = files;
  const what =
    more.length === 0 ? `There is no file ${quote(first)}.` : `None of these is a file: ${some(files)}.`;
  throw new FjordError(
    "bad-usage",
    what,
    `A command goes behind --: fjord ${verb} -- ${files.map(shellWord).join(" ")}`,
  );
}

/** Names, patterns and ranges become names: only those that are there now are waited for. */
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
