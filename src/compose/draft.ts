import fs from "node:fs";
import path from "node:path";
import { Elements, elementName, problemOfArray } from "../job/element.js";
import { FjordError } from "../job/error.js";
import { JOB_FILE_LIMIT, type Job, readJob } from "../job/job.js";
import { type ControlKeys, newJobText, withControlKeys, withParams } from "../job/job-text.js";
import { checkName, isIgnored, jobName } from "../job/name.js";
import { countOf, numbersOf, type Range } from "../job/numbers.js";
import { quote } from "../job/quote.js";
import { canGoOn, commandLineOf, shellLineIn, shellQuote, withoutLineBreaks } from "../job/shell-words.js";
import type { Values } from "../job/sweep.js";

/** What a job is asked to be; what is left out is as the job file says, or fjord's default. */
export interface JobWishes {
  /** Of a job file only. */
  readonly executable?: string;
  readonly logfile?: string;
  readonly workdir?: string;
  readonly priority?: number;
  readonly retries?: number;
  /** Jobs that have to end before it may begin, as in a job file: `prepare, load:any`. */
  readonly after?: string;
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
  /** The file stands for many jobs: those that it makes, and how many. */
  readonly array?: { readonly size: number; readonly elements: Elements; readonly ranges: readonly Range[] };
}

const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * A job of a command. It gets no job file as its last argument, unlike a command in a job file: what is given is what runs.
 *
 * @param words the command and its arguments; one word that holds more than a word is a shell command line
 * @param params what the section `[params]` tells of it
 * @throws FjordError `bad-usage`
 */
export function draftOfCommand(
  name: string,
  words: readonly string[],
  wishes: JobWishes,
  params?: Values,
): Draft {
  const line = commandLineOf(words).trim();
  if (line === "" || words.every((word) => word === "")) {
    throw new FjordError("bad-usage", "The command is empty.", "fjord submit -- COMMAND …");
  }
  // What is no UTF-8 has become U+FFFD on its way here, and would not be what was given.
  if (line.includes("\uFFFD")) {
    throw new FjordError("bad-usage", `${quote(line)} is not valid UTF-8.`, "Put that into a script.");
  }
  const file = fileNamed(name);
  const whole = canGoOn(line) || shellLineIn(words) === undefined ? line : `eval ${shellQuote(line)}`;
  const executable = standing(withEnvironment(whole, words.length > 1, wishes.env));
  const draft = checked(file, newJobText({ executable, ...keysOf(wishes) }, params), 0o666);
  return { ...draft, runs: withEnvironment(line, words.length > 1, wishes.env) };
}

/**
 * An array of a command: one job file for all its numbers, which take the place of `{index}`.
 *
 * @throws FjordError `bad-usage`, `job-refused`
 */
export function draftOfArray(
  name: string,
  words: readonly string[],
  wishes: JobWishes,
  range: string,
): Draft {
  const { file, content, mode, runs } = draftOfCommand(name, words, wishes);
  return {
    ...checked(file, `${Buffer.from(content).toString("utf8")}\n[array]\nrange = ${range}\n`, mode),
    runs,
  };
}

function fileNamed(name: string): string {
  const file = name.endsWith(".ini") ? name : `${name}.ini`;
  const problem = isIgnored(file) ? `${quote(name)} is a name that is never a job's` : checkName(file);
  if (problem !== undefined) throw new FjordError("bad-usage", `${problem}.`, "Give another --name.");
  return file;
}

/** A command line as an ini file can hold it. The job file's path comes after it: behind a # it is nothing to the shell. */
function standing(line: string): string {
  const executable = `${line} #`;
  return !/\p{Cc}/u.test(line) || isHeld(executable) ? executable : `${withoutLineBreaks(line)} #`;
}

function isHeld(executable: string): boolean {
  try {
    newJobText({ executable });
    return true;
  } catch (error) {
    if (error instanceof FjordError) return false;
    throw error;
  }
}

/**
 * Jobs of files, and of the `.ini` files that lie in folders (not in folders below).
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
      const source = readSource(one);
      drafts.push(draftOfSource(source, name ?? source.name, wishes));
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
    const hint = "Nothing was submitted; mend that and try again. A command goes behind --.";
    throw new FjordError("job-refused", shown.join("\n"), hint);
  }
  return drafts;
}

/** A job file that drafts are made of. */
export interface Source {
  /** The job's, if it is given no other. */
  readonly name: string;
  /** `.ini`, or nothing. */
  readonly ending: string;
  readonly content: Uint8Array;
  readonly mode: number;
}

/** @throws FjordError `job-refused` when it cannot be read */
export function readSource(file: string): Source {
  const base = path.basename(file);
  return { ...readFile(file), name: jobName(base), ending: base.endsWith(".ini") ? ".ini" : "" };
}

/** @throws FjordError `job-refused` */
export function draftOfSource(source: Source, name: string, wishes: JobWishes, params?: Values): Draft {
  const { content, mode } = source;
  const file = `${jobName(name)}${source.ending}`;
  const problem = isIgnored(file) ? `${quote(file)} is a name that is never a job's` : checkName(file);
  if (problem !== undefined) throw new FjordError("job-refused", `${problem}.`);
  const plain = checked(file, content, mode);
  const { env = {}, executable } = wishes;
  const keys = keysOf(wishes);
  if (params === undefined && executable === undefined && Object.keys({ ...keys, ...env }).length === 0)
    return plain;
  const job = commandIn(file, source);
  const line =
    Object.keys(env).length > 0 ? withEnvironment(executable ?? job.executable, false, env) : executable;
  const text = Buffer.from(content).toString("utf8");
  const changed = withControlKeys(file, text, { ...(line !== undefined && { executable: line }), ...keys });
  return checked(file, params === undefined ? changed : withParams(file, changed, params), mode);
}

/** Drafts of an array's elements, one by one; any other draft is as it was. */
export function* elementsOf(draft: Draft): Generator<Draft> {
  if (draft.array === undefined) {
    yield draft;
    return;
  }
  const { elements, ranges } = draft.array;
  for (const number of numbersOf(ranges)) {
    yield checked(`${elementName(draft.job, number)}.ini`, elements.textOf(number), draft.mode);
  }
}

/** What a job file says of its command. @throws FjordError `job-refused` for a script */
export function commandIn(file: string, { content, mode }: Source): Job {
  const reading = readJob(file, content, (mode & 0o111) !== 0);
  if (!reading.ok) throw new FjordError("job-refused", `${reading.reason}.`);
  if (reading.job.kind === "command") return reading.job;
  throw new FjordError("job-refused", `${file} is a script: it has no keys that could be set.`);
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

/** A file, or the `.ini` files of a folder. */
export function filesOf(given: string): string[] {
  let isDirectory = false;
  try {
    isDirectory = fs.statSync(given).isDirectory();
  } catch {
    return [given]; // what is wrong with it is told when it is read
  }
  if (!isDirectory) return [given];
  const names = fs
    .readdirSync(given, { withFileTypes: true })
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

function checked(file: string, content: string | Uint8Array, mode: number): Draft {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  const reading = readJob(file, bytes, (mode & 0o111) !== 0);
  if (!reading.ok) throw new FjordError("job-refused", `${reading.reason}.`);
  const { kind, executable, array } = reading.job;
  const draft = {
    job: jobName(file),
    file,
    content: bytes,
    mode,
    runs: kind === "script" ? file : executable,
  };
  if (array === undefined) return draft;
  const job = { ...reading.job, array };
  const problem = problemOfArray(file, bytes, job);
  if (problem !== undefined) throw new FjordError("job-refused", `${problem}.`);
  const elements = new Elements(file, bytes, job);
  return { ...draft, array: { size: countOf(array.ranges), elements, ranges: array.ranges } };
}

function keysOf(wishes: JobWishes): ControlKeys {
  const { logfile, workdir, priority, retries, timeout, nice, after } = wishes;
  const keys = { logfile, workdir, priority, retries, timeout, nice, after };
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
