import fs from "node:fs";
import path from "node:path";
import { FjordError } from "../job/error.js";
import { JOB_FILE_LIMIT, readJob } from "../job/job.js";
import { type ControlKeys, newJobText, withControlKeys } from "../job/job-text.js";
import { checkName, isIgnored, jobName } from "../job/name.js";
import { quote } from "../job/quote.js";
import { commandLineOf, shellQuote } from "../job/shell-words.js";
import type { Layout } from "../project/layout.js";
import { findJobs } from "../report/jobs.js";
import type { Store } from "../spool/store.js";
import { submit } from "../spool/submit.js";

/** What a job is asked to be; what is left out is as the job file says, or fjord's default. */
export interface JobWishes {
  readonly logfile?: string;
  readonly workdir?: string;
  readonly priority?: number;
  readonly retries?: number;
  /** As people write it: `90`, `2h`. */
  readonly timeout?: string;
  readonly nice?: number;
  /** Set in the environment of the job's command. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A job that could be submitted: checked, and not yet in the queue. */
export interface Draft {
  readonly job: string;
  readonly file: string;
  readonly content: Uint8Array;
  readonly mode: number;
  /** What will be run, for people. */
  readonly runs: string;
}

const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * A job of a command. It gets no job file as its last argument, unlike a command in a job file: what is given is what runs.
 *
 * @param words the command and its arguments; one word that holds more than a word is a shell command line
 * @throws FjordError `bad-usage`
 */
export function draftOfCommand(name: string, words: readonly string[], wishes: JobWishes): Draft {
  const line = commandLineOf(words);
  if (line.trim() === "")
    throw new FjordError("bad-usage", "The command is empty.", "fjord submit -- COMMAND …");
  const file = `${name}.ini`;
  const problem = isIgnored(file) ? `${quote(name)} is a name that is never a job's` : checkName(file);
  if (problem !== undefined) throw new FjordError("bad-usage", `${problem}.`, "Give another --name.");
  // The job file's path comes after it: behind a # it is nothing to the shell.
  const executable = `${withEnvironment(line, words.length > 1, wishes.env)} #`;
  return checked(file, newJobText({ executable, ...keysOf(wishes) }), 0o666);
}

/**
 * Jobs of files, and of what lies in folders (not in folders below).
 *
 * @throws FjordError `job-refused` with all that is wrong with any of them
 */
export function draftsOfFiles(paths: readonly string[], wishes: JobWishes, name?: string): Draft[] {
  const files = paths.flatMap(filesOf);
  if (name !== undefined && files.length > 1) {
    throw new FjordError(
      "bad-usage",
      `--name names one job, and these are ${files.length}.`,
      "Leave it out.",
    );
  }
  const drafts: Draft[] = [];
  const problems: string[] = [];
  for (const one of files) {
    try {
      drafts.push(draftOfFile(one, wishes, name));
    } catch (error) {
      if (!(error instanceof FjordError)) throw error;
      problems.push(error.message);
    }
  }
  const names = new Set<string>();
  for (const { job } of drafts) {
    if (names.has(job)) problems.push(`Two of the files are the job ${quote(job)}.`);
    names.add(job);
  }
  if (problems.length > 0) {
    const shown = problems.slice(0, 10);
    if (problems.length > shown.length) shown.push(`… and ${problems.length - shown.length} more.`);
    throw new FjordError("job-refused", shown.join("\n"), "Nothing was submitted; mend that and try again.");
  }
  return drafts;
}

/**
 * S1 for each draft, one after the other.
 *
 * @param replace whether a job of that name that waits may be replaced
 * @throws FjordError `job-refused` when a job of one of the names waits or runs: then nothing was submitted
 */
export async function submitDrafts(
  store: Store,
  layout: Layout,
  drafts: readonly Draft[],
  options: { readonly replace: boolean; readonly flush: boolean; readonly dryRun?: boolean },
): Promise<void> {
  const busy = new Map(
    (await findJobs(store, layout, new Set(["waiting", "running", "retrying"]))).map((place) => [
      place.job,
      place,
    ]),
  );
  const problems: string[] = [];
  for (const { job, file } of drafts) {
    const place = busy.get(job);
    if (place === undefined) continue;
    const isReplaceable = place.state === "waiting" && place.worker === undefined && place.file === file;
    if (options.replace && isReplaceable) continue;
    const what = place.state === "running" ? "runs now" : "waits already";
    problems.push(`A job ${quote(job)} ${what}.`);
  }
  if (problems.length > 0) {
    const shown = problems.slice(0, 5);
    if (problems.length > shown.length) shown.push(`… and ${problems.length - shown.length} more.`);
    throw new FjordError(
      "job-refused",
      shown.join("\n"),
      "Nothing was submitted. Give another name, or wait for it; --replace takes the place of one that is still in the queue.",
    );
  }
  if (options.dryRun === true) return;
  for (const { file, content, mode } of drafts) {
    await submit(store, layout, file, content, options.flush, { mode, replace: options.replace });
  }
}

function draftOfFile(path_: string, wishes: JobWishes, name: string | undefined): Draft {
  const { content, mode } = readFile(path_);
  const base = path.basename(path_);
  const file = name === undefined ? base : `${name}${base.endsWith(".ini") ? ".ini" : ""}`;
  const problem = isIgnored(file) ? `${quote(file)} is a name that is never a job's` : checkName(file);
  if (problem !== undefined) throw new FjordError("job-refused", `${problem}.`);
  const plain = checked(file, content, mode);
  const keys = keysOf(wishes);
  const env = wishes.env ?? {};
  if (Object.keys(keys).length === 0 && Object.keys(env).length === 0) return plain;
  const text = Buffer.from(content).toString("utf8");
  const reading = readJob(file, content, false);
  if (!reading.ok || reading.job.kind !== "command") {
    throw new FjordError("job-refused", `${file} is a script: it has no keys that could be set.`);
  }
  const executable =
    Object.keys(env).length === 0 ? {} : { executable: withEnvironment(reading.job.executable, false, env) };
  return checked(file, withControlKeys(file, text, { ...executable, ...keys }), mode);
}

function readFile(file: string): { content: Buffer; mode: number } {
  try {
    const stat = fs.statSync(file);
    if (!stat.isFile()) throw new FjordError("job-refused", `${quote(file)} is not a regular file.`);
    if (stat.size > JOB_FILE_LIMIT && (stat.mode & 0o111) === 0) {
      throw new FjordError("job-refused", `${quote(file)} is too long for a job file (${stat.size} bytes).`);
    }
    return { content: fs.readFileSync(file), mode: stat.mode & 0o777 };
  } catch (error) {
    if (error instanceof FjordError) throw error;
    throw new FjordError("job-refused", `${quote(file)} cannot be read: ${(error as Error).message}.`);
  }
}

function filesOf(given: string): string[] {
  let isDirectory = false;
  try {
    isDirectory = fs.statSync(given).isDirectory();
  } catch {
    return [given]; // what is wrong with it is told when it is read
  }
  if (!isDirectory) return [given];
  const names = fs
    .readdirSync(given, { withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && !isIgnored(entry.name))
    .map((entry) => entry.name)
    .sort();
  if (names.length === 0) throw new FjordError("job-refused", `There is no file in ${quote(given)}.`);
  return names.map((file) => path.join(given, file));
}

function checked(file: string, content: string | Uint8Array, mode: number): Draft {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  const reading = readJob(file, bytes, (mode & 0o111) !== 0);
  if (!reading.ok) throw new FjordError("job-refused", `${reading.reason}.`);
  const { kind, executable } = reading.job;
  return { job: jobName(file), file, content: bytes, mode, runs: kind === "script" ? file : executable };
}

function keysOf(wishes: JobWishes): ControlKeys {
  const { logfile, workdir, priority, retries, timeout, nice } = wishes;
  const keys = { logfile, workdir, priority, retries, timeout, nice };
  return Object.fromEntries(
    Object.entries(keys)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, String(value)]),
  );
}

/** A simple command takes assignments before it; a line of more needs them exported (POSIX shell, 2.9.1). */
function withEnvironment(line: string, isSimple: boolean, env: JobWishes["env"] = {}): string {
  const assignments = Object.entries(env).map(([name, value]) => {
    if (ENV_NAME.test(name)) return `${name}=${shellQuote(value)}`;
    throw new FjordError(
      "bad-usage",
      `${quote(name)} is no name of an environment variable.`,
      "--env NAME=VALUE",
    );
  });
  if (assignments.length === 0) return line;
  return isSimple ? `${assignments.join(" ")} ${line}` : `export ${assignments.join(" ")}; ${line}`;
}
