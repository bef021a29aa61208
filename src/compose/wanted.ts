import crypto from "node:crypto";
import path from "node:path";
import { FjordError } from "../job/error.js";
import { behindAssignments } from "../job/secrets.js";
import type { Sweep } from "../job/sweep.js";
import { type Draft, draftOfArray, draftOfCommand, draftsOfFiles, type JobWishes } from "./draft.js";
import { draftsOfCommandSweep, draftsOfFileSweep, type SweptCommand } from "./sweep.js";

/** Jobs that somebody wants: of a command, or of job files; one, or one for each element of a sweep. */
export interface Wanted extends JobWishes {
  /** A command and its arguments, each as it is; one word that is more than a word is a shell command line. */
  readonly command?: readonly string[];
  /** Or job files, and folders of them. */
  readonly files?: readonly string[];
  /** Or, as in fjd, a shell command line with `$1`, `$2` for the sweep's `param1`, `param2`. */
  readonly exe?: string;
  /** What varies. With none of the above its `line` is the command line. */
  readonly sweep?: Sweep;
  /** Numbers as in `[array] range`: the command becomes an array, one job file for all of them. */
  readonly array?: string;
  /** The job's; found by itself if not said. */
  readonly name?: string;
}

/**
 * Drafts of the jobs that are wanted, checked. A command runs in this process's working directory if no other is said.
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
      isSaid > 1 ? "Either job files or a command." : "Nothing to submit.",
      "Name job files, or write a command behind --.",
    );
  }
  if (array !== undefined && (sweep !== undefined || files.length > 0)) {
    throw new FjordError(
      "bad-usage",
      "--array is for one command, by itself.",
      "In a job file write [array] and below it range = 1-100; what varies otherwise goes into [sweep].",
    );
  }
  if (files.length > 0) {
    return sweep === undefined
      ? draftsOfFiles(files, wishes, name)
      : draftsOfFileSweep(sweep, files, wishes, name);
  }
  const here = { workdir: process.cwd(), ...wishes };
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

/** Short, and not another's: the program's name and some random letters. */
function nameFor(words: readonly string[]): string {
  // Not what a variable is set to, which may be a secret.
  const line = words.find((word) => behindAssignments(word) !== "") ?? "";
  const first = behindAssignments(line).split(/\s/, 1)[0] ?? "";
  const stem =
    path
      .basename(first)
      .replace(/[^A-Za-z0-9_-]/g, "")
      .slice(0, 40) || "job";
  return `${stem}-${crypto.randomBytes(4).readUInt32BE(0).toString(36).padStart(7, "0").slice(-6)}`;
}
