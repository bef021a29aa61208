import type { Dependency } from "../job/after.js";
import { Elements, elementName, problemOfArray } from "../job/element.js";
import { FjordError } from "../job/error.js";
import { readJob } from "../job/job.js";
import { type ControlKeys, newJobText, withControlKeys, withParams } from "../job/job-text.js";
import { checkName, isIgnored, jobName } from "../job/name.js";
import { countOf, numbersOf, type Range } from "../job/numbers.js";
import { quote } from "../job/quote.js";
import { canGoOn, commandLineOf, shellLineIn, shellQuote } from "../job/shell-words.js";
import type { Values } from "../job/sweep.js";
import { refuseUnlessUtf8 } from "../project/utf8-path.js";
import { asExecutable, refuseLost, withEnvironment } from "./command-line.js";
import { commandIn, filesOf, readSource, type Source } from "./source.js";

/** Settings that a user gives for a job. All other settings are as in the job file, or fjord's defaults. */
export interface JobWishes {
  /** Replaces the command of a job file. */
  readonly executable?: string;
  readonly logfile?: string;
  readonly workdir?: string;
  readonly priority?: number;
  readonly retries?: number;
  /** Jobs that have to end before this one begins, as in a job file: `prepare, load:any`. */
  readonly after?: string;
  /** Longest time of an attempt, as users write it: `90`, `2h`. */
  readonly timeout?: string;
  readonly nice?: number;
  /** Shell that runs the command line: `/bin/bash`. */
  readonly shell?: string;
  /** Variables for the environment of the job's command. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A job that was checked and is not in the queue yet. */
export interface Draft {
  readonly job: string;
  readonly file: string;
  readonly content: Uint8Array;
  readonly mode: number;
  /** The command that will run, as users see it. */
  readonly runs: string;
  /**
   * File for the results, relative to `workdir`. Both have the text of the job file. In an array, they still have placeholders.
   */
  readonly logfile: string | undefined;
  readonly workdir: string | undefined;
  /** Jobs that have to end before this one begins. */
  readonly after: readonly Dependency[];
  /** The jobs that an array makes, and their number; undefined for a single job. */
  readonly array?: { readonly size: number; readonly elements: Elements; readonly ranges: readonly Range[] };
}

/**
 * Makes a job from a command. Unlike a command in a job file, this command gets no job file as its last argument.
 *
 * @param words the command and its arguments. A single word with spaces or other special characters is a shell command line.
 * @param params values for the section `[params]`
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
  // Node replaces bytes that are not UTF-8 by U+FFFD. The job would then run another command than the user typed.
  if (line.includes("\uFFFD")) {
    throw new FjordError("bad-usage", `${quote(line)} is not valid UTF-8.`, "Put the command into a script.");
  }
  refuseLost(wishes.env, params);
  const file = fileNamed(name);
  const whole = canGoOn(line) || shellLineIn(words) === undefined ? line : `eval ${shellQuote(line)}`;
  const executable = asExecutable(withEnvironment(whole, words.length > 1, wishes.env));
  const draft = checked(file, newJobText({ executable, ...keysOf(wishes) }, params), 0o666);
  return { ...draft, runs: withEnvironment(line, words.length > 1, wishes.env) };
}

/**
 * Makes an array from a command: one job file for all numbers. Each number replaces `{index}`.
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
  const problem = isIgnored(file) ? `${quote(name)} cannot be the name of a job` : checkName(file);
  if (problem !== undefined) throw new FjordError("bad-usage", `${problem}.`, "Give another --name.");
  return file;
}

/**
 * Makes jobs from files, and from the `.ini` files in folders.
 *
 * @throws FjordError `job-refused` with the problems of all of them
 */
export function draftsOfFiles(paths: readonly string[], wishes: JobWishes, name?: string): Draft[] {
  const files = paths.flatMap(filesOf);
  if (name !== undefined && files.length > 1) {
    throw new FjordError(
      "bad-usage",
      `--name names one job, but these are ${files.length}.`,
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
    if (names.has(job)) problems.push(`Two of the files have the job name ${quote(job)}.`);
    names.add(job);
  }
  if (problems.length > 0) {
    const shown = problems.slice(0, 10);
    if (problems.length > shown.length) shown.push(`… and ${problems.length - shown.length} more.`);
    const hint = "Nothing was submitted. Correct these files and try again. Write a command after --.";
    throw new FjordError("job-refused", shown.join("\n"), hint);
  }
  return drafts;
}

/** @throws FjordError `job-refused` */
export function draftOfSource(source: Source, name: string, wishes: JobWishes, params?: Values): Draft {
  const { content, mode } = source;
  const file = `${jobName(name)}${source.ending}`;
  const problem = isIgnored(file) ? `${quote(file)} cannot be the name of a job` : checkName(file);
  if (problem !== undefined) throw new FjordError("job-refused", `${problem}.`);
  const plain = checked(file, content, mode);
  const { env = {}, executable } = wishes;
  refuseLost(env, params);
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

/** Yields a draft for each element of an array, or the draft of a single job itself. */
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

function checked(file: string, content: string | Uint8Array, mode: number): Draft {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  const reading = readJob(file, bytes, (mode & 0o111) !== 0);
  if (!reading.ok) throw new FjordError("job-refused", `${reading.reason}.`);
  const { kind, executable, logfile, workdir, after, array } = reading.job;
  const name = jobName(file);
  if (after.some(({ job }) => job === name)) {
    throw new FjordError("job-refused", `${quote(name)} is to run after itself, so it would wait forever.`);
  }
  const draft = {
    job: name,
    after,
    file,
    content: bytes,
    mode,
    runs: kind === "script" ? file : executable,
    logfile,
    workdir,
  };
  if (array === undefined) return draft;
  const job = { ...reading.job, array };
  const problem = problemOfArray(file, bytes, job);
  if (problem !== undefined) throw new FjordError("job-refused", `${problem}.`);
  const elements = new Elements(file, bytes, job);
  return { ...draft, array: { size: countOf(array.ranges), elements, ranges: array.ranges } };
}

function keysOf(wishes: JobWishes): ControlKeys {
  const { logfile, workdir, priority, retries, timeout, nice, shell, after } = wishes;
  refuseUnlessUtf8("The working directory", workdir ?? "");
  refuseUnlessUtf8("The logfile", logfile ?? "");
  const keys = { logfile, workdir, priority, retries, timeout, nice, shell, after };
  return Object.fromEntries(
    Object.entries(keys)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, String(value)]),
  );
}
