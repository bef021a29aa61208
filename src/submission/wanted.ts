import crypto from "node:crypto";
import path from "node:path";
import { FjordError } from "../job/error.js";
import { behindAssignments } from "../job/secrets.js";
import type { Sweep } from "../job/sweep.js";
import { currentDirectory } from "../project/current-directory.js";
import { type Draft, draftOfArray, draftOfCommand, draftsOfFiles, type JobWishes } from "./draft.js";
import { draftsOfCommandSweep, draftsOfFileSweep, type SweptCommand } from "./sweep.js";

/** Jobs that a user wants, made from a command or from job files: one job, or one for each element of a sweep. */
export interface Wanted extends JobWishes {
  /** A command and its arguments. A single word with spaces or other special characters is a shell command line. */
  readonly command?: readonly string[];
  /** Job files and folders of job files, in place of a command. */
  readonly files?: readonly string[];
  /** A shell command line as in fjd, in place of a command. `$1`, `$2` stand for the sweep's `param1`, `param2`. */
  readonly exe?: string;
  /** Values that vary. Without a command, job files or `exe`, the value `line` of each element is its command line. */
  readonly sweep?: Sweep;
  /** Numbers as in `[array] range`. The command becomes an array, with one job file for all numbers. */
  readonly array?: string;
  /** Name of the job; by default fjord makes a name from the command. */
  readonly name?: string;
}

/**
 * Checks jobs and makes drafts of them. A command runs in the working directory of this process by default.
 *
 * @throws FjordError `bad-usage`, `job-refused`
 */
export function draftsOf(wanted: Wanted): Draft[] {
  const { command = [], files = [], exe, sweep, array, name, ...wishes } = wanted;
  const isSaid = [command.length > 0, files.length > 0, exe !== undefined].filter(Boolean).length;
  const isLines = isSaid === 0 && (sweep?.names.has("line") ?? false);
  if (isSaid !== 1 && !isLines) {
    throw new FjordError(
      "bad-usage",
      isSaid > 1 ? "Give either job files or a command." : "There is nothing to submit.",
      "Name job files, or write a command after --.",
    );
  }
  if (array !== undefined && (sweep !== undefined || files.length > 0)) {
    throw new FjordError(
      "bad-usage",
      "--array takes one command, and no job files or other values that vary.",
      "In a job file, write [array] and below it range = 1-100. Other values that vary go into [sweep].",
    );
  }
  if (files.length > 0) {
    return sweep === undefined
      ? draftsOfFiles(files, wishes, name)
      : draftsOfFileSweep(sweep, files, wishes, name);
  }
  const here = { ...wishes, workdir: wishes.workdir ?? currentDirectory() };
  const words = exe === undefined ? command : [exe];
  const called = name ?? nameFor(isLines ? ["job"] : words);
  if (array !== undefined) return [draftOfArray(called, words, here, array)];
  if (sweep === undefined) return [draftOfCommand(called, words, here)];
  const swept: SweptCommand = isLines
    ? { kind: "line" }
    : exe === undefined
      ? { kind: "words", words: command }
      : { kind: "fjd", line: exe };
  return draftsOfCommandSweep(sweep, swept, called, here);
}

/** Makes a short name that no other job has, from the program's name and random letters. */
function nameFor(words: readonly string[]): string {
  // The value of a variable may be a secret, so the name leaves assignments out.
  const line = words.find((word) => behindAssignments(word) !== "") ?? "";
  const first = behindAssignments(line).split(/\s/, 1)[0] ?? "";
  const stem =
    path
      .basename(first)
      .replace(/[^A-Za-z0-9_-]/g, "")
      .slice(0, 40) || "job";
  return `${stem}-${crypto.randomBytes(4).readUInt32BE(0).toString(36).padStart(7, "0").slice(-6)}`;
}
