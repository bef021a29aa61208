import fs from "node:fs";
import path from "node:path";
import { FjordError } from "../job/error.js";
import { JOB_FILE_LIMIT, type Job, readJob } from "../job/job.js";
import { isIgnored, jobName } from "../job/name.js";
import { quote } from "../job/quote.js";
import { fromHere } from "../project/current-directory.js";

/** A job file that a user submits. */
export interface Source {
  /** Name of the job, unless the user gives another one. */
  readonly name: string;
  /** `.ini`, or empty for a script. */
  readonly ending: string;
  readonly content: Uint8Array;
  readonly mode: number;
}

/** @throws FjordError `job-refused` if the file cannot be read */
export function readSource(file: string): Source {
  const base = path.basename(file);
  return { ...readFile(file), name: jobName(base), ending: base.endsWith(".ini") ? ".ini" : "" };
}

/** Reads a job file that holds a command. @throws FjordError `job-refused` for a script */
export function commandIn(file: string, { content, mode }: Source): Job {
  const reading = readJob(file, content, (mode & 0o111) !== 0);
  if (!reading.ok) throw new FjordError("job-refused", `${reading.reason}.`);
  if (reading.job.kind === "command") return reading.job;
  throw new FjordError("job-refused", `${file} is a script, and a script has no keys to set.`);
}

/** Returns a file itself, or the `.ini` files of a folder, without those of folders below it. */
export function filesOf(given: string): string[] {
  let isDirectory = false;
  const there = fromHere(given);
  try {
    isDirectory = fs.statSync(there).isDirectory();
  } catch {
    return [given]; // the error is reported when the file is read
  }
  if (!isDirectory) return [given];
  const names = fs
    .readdirSync(there, { withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && entry.name.endsWith(".ini") && !isIgnored(entry.name))
    .map((entry) => entry.name)
    .sort();
  if (names.length === 0) {
    throw new FjordError(
      "job-refused",
      `There is no .ini file in ${quote(given)}.`,
      "Name scripts one by one.",
    );
  }
  return names.map((file) => path.join(given, file));
}

function readFile(file: string): { content: Buffer; mode: number } {
  try {
    const there = fromHere(file);
    const stat = fs.statSync(there);
    if (!stat.isFile()) throw new FjordError("job-refused", `${quote(file)} is not a regular file.`);
    if (stat.size > JOB_FILE_LIMIT && (stat.mode & 0o111) === 0) {
      throw new FjordError("job-refused", `${quote(file)} is too long for a job file (${stat.size} bytes).`);
    }
    return { content: fs.readFileSync(there), mode: stat.mode & 0o777 };
  } catch (error) {
    if (error instanceof FjordError) throw error;
    throw new FjordError("job-refused", `${quote(file)} cannot be read: ${(error as Error).message}.`);
  }
}
