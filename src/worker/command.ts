import fs from "node:fs";
import { SHELL_WORDS, shellQuote } from "../job/shell-words.js";

/** Words that a shell reads the same whether quoted or not. */
const PLAIN = /^[A-Za-z0-9_@%+:,./=-]+(?:[ \t]+[A-Za-z0-9_@%+:,./=-]+)*$/;

/** A line that ends with an empty comment wants no job file: the path would stand in the comment. */
const UNTIL_COMMENT = /^(.*\S)[ \t]+#$/s;

/** Carries a command line to a shell of its own; the job does not get it. */
const LINE = "FJORD_LINE";

/** In a subshell `$$` is the process number of the shell that it belongs to: the launcher's (POSIX 2.5.2). */
const OWN_NUMBER = /\$(?:\$|\{\$)/;

/** What one run of a job needs from the shell. Paths are absolute. */
export interface RunRequest {
  /** The shell command line, or undefined for a job file that is itself executable. */
  readonly line: string | undefined;
  readonly jobFile: string;
  /** Undefined: the launcher's own. */
  readonly directory: string | undefined;
  readonly log: string;
  readonly nice: number | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * The text that the launcher shell reads: the job in a subshell with its own directory, environment and
 * redirections. The command line gets the job file's path as its last argument.
 *
 * A line of plain words is `exec`ed, which saves a fork; any other goes through `eval` in the subshell, so that an
 * unbalanced quote in it ends the job and not the launcher. One that asks for its shell's process number gets a shell.
 */
export function runText(request: RunRequest): string {
  const exports = Object.entries(request.environment)
    .map(([name, value]) => `${name}=${shellQuote(value)}`)
    .join(" ");
  const enter = `${request.directory === undefined ? "" : changeTo(request.directory)}export ${exports}\n`;
  return `(\n${enter}${invocation(request)}\n) </dev/null >>${shellQuote(request.log)} 2>&1`;
}

function changeTo(directory: string): string {
  return `cd ${shellQuote(directory)} || { echo ${shellQuote(cannotEnter(directory))}; exit 126; }\n`;
}

export function cannotEnter(directory: string): string {
  return `fjord: cannot enter the working directory ${directory}`;
}

/** One system call. */
export function canEnter(directory: string): boolean {
  try {
    fs.accessSync(`${directory}/`, fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function invocation({ line, jobFile, nice }: RunRequest): string {
  const file = shellQuote(jobFile);
  const prefix = nice === undefined ? "" : `nice -n ${nice} `;
  if (line === undefined) return `exec ${prefix}${file}`;
  if (isPlain(line)) return `exec ${prefix}${line} ${file}`;
  const bare = UNTIL_COMMENT.exec(line)?.[1];
  if (bare !== undefined && isPlain(bare)) return `exec ${prefix}${bare}`;
  const whole = shellQuote(`${line} ${file}`);
  if (nice === undefined && !OWN_NUMBER.test(line)) return `eval ${whole}`;
  // Not as an argument, which everybody on the host could read.
  return `export ${LINE}=${whole}; exec ${prefix}sh -c 'fjord_line=$${LINE}; unset ${LINE}; eval "$fjord_line"'`;
}

function isPlain(line: string): boolean {
  if (!PLAIN.test(line)) return false;
  const first = line.split(/[ \t]/, 1)[0] ?? "";
  if (first.includes("=") || first.startsWith("-") || first.startsWith("%")) return false;
  return !SHELL_WORDS.has(first);
}
