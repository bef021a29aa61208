import fs from "node:fs";
import path from "node:path";
import { SH } from "../job/shell.js";
import { SHELL_WORDS, shellQuote } from "../job/shell-words.js";
import { isExecutable } from "../project/executable.js";
import { isErrno } from "../store/store.js";

/** A program with arguments that every shell reads in the same way: plain words and text in single quotes. */
const PLAIN = /^[A-Za-z0-9_@%+:,./=-]+(?:[ \t]+(?:[A-Za-z0-9_@%+:,./=-]|'[^']*'|\\')+)*$/;

/** A line that ends with an empty comment. It gets no job file, because the path would be part of the comment. */
const UNTIL_COMMENT = /^(.*\S)[ \t]+#$/s;

/** Variable that passes a command line to a separate shell. The shell unsets it before the job starts. */
const LINE = "FJORD_LINE";

/** `$$` or `${$}`. In a subshell this is the process id of the launcher shell, not of the subshell (POSIX 2.5.2). */
const OWN_NUMBER = /\$(?:\$|\{\$)/;

/** One run of a job, as the runner gets it. Paths are absolute. */
export interface RunRequest {
  /** Shell command line; undefined for a job file that is itself executable. */
  readonly line: string | undefined;
  readonly jobFile: string;
  /** Working directory; undefined for the runner's own. */
  readonly directory: string | undefined;
  readonly log: string;
  readonly nice: number | undefined;
  /** Shell that runs the line, with its options but without `-c`; undefined for /bin/sh, which the launcher shell is. */
  readonly shell: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  /** Line that the shell appends to the worker's ledger before the job begins. */
  readonly started: string;
}

/** Answers of a launcher shell, beside `=STATUS` for a job that has ended. */
export const SKIPPED = "~";
export const UNRECORDED = "!";

/**
 * Functions with which a launcher shell frames each job: S5 in the shell. `fjord_begin` appends the line `started`, unless the
 * worker has asked for a skip (SIGUSR1). `printf` is used since `echo` of dash changes backslashes.
 */
export function framing(ledger: string): string {
  return `fjord_ledger=${shellQuote(ledger)}
fjord_begin() {
  if [ -n "$fjord_skip" ]; then command echo '${SKIPPED}' >&3; return 1; fi
  command printf '%s\\n' "$1" >>"$fjord_ledger" && return
  command echo '${UNRECORDED}' >&3; return 1
}
`;
}

/** Ends a skip. The first line lets the shell take a signal into account that came while it waited for input. */
export const END_SKIP = ":\nfjord_skip=\n";

/** Says the exit status, and before it the CPU times where /proc does not tell them. */
const SAY_END =
  process.platform === "linux"
    ? 'command echo "=$?" >&3'
    : 'fjord_status=$?; times; command echo "=$fjord_status" >&3';

/** Text that the launcher shell reads for one job, with the answer about its end. */
export function jobText(request: RunRequest, launcher?: string): string {
  return `if fjord_begin ${shellQuote(request.started)}; then\n${runText(request, launcher)}\n${SAY_END}\nfi\n`;
}

/** Shells that run a simple command with vfork(2) (dash), or that only fork for it (bash), and whose builtins are known here. */
const KNOWN_SHELLS = ["dash", "bash"];
let isKnownShell: boolean | undefined;

/**
 * Text that the launcher shell reads to run a job with its own directory, environment and redirections. The command line gets the
 * path of the job file as its last argument.
 *
 * A line of plain and quoted words becomes a simple command, which costs least. Everything else runs in a subshell: with `exec`
 * where that saves a fork, or else with `eval`, so that an unbalanced quote ends the job and not the launcher shell. A line that
 * reads `$$`, or that another shell has to run, gets a shell process of its own.
 *
 * @param launcher program of the launcher shell. If this is not /bin/sh, then /bin/sh runs the lines that are not plain words.
 */
export function runText(request: RunRequest, launcher = SH): string {
  const variables = Object.entries(request.environment)
    .map(([name, value]) => `${name}=${shellQuote(value)}`)
    .join(" ");
  const redirections = `</dev/null >>${shellQuote(request.log)} 2>&1 3>&-`;
  const simple = simpleCommand(request);
  // `command` skips shell functions, which the user may have named like a program.
  if (simple !== undefined) return `${variables} command ${simple} ${redirections}`;
  const enter = `${request.directory === undefined ? "" : changeTo(request.directory)}export ${variables}\n`;
  return `(\n${enter}${invocation(request, launcher)}\n) ${redirections}`;
}

/** The job as a simple command without variables and redirections; undefined if it has to run in a subshell. */
function simpleCommand({ line, jobFile, directory, nice, shell }: RunRequest): string | undefined {
  if (line === undefined || directory !== undefined || nice !== undefined || shell !== undefined)
    return undefined;
  isKnownShell ??= KNOWN_SHELLS.includes(path.basename(fs.realpathSync(SH)));
  return isKnownShell ? plainCommand(line, jobFile) : undefined;
}

/** A line of plain and quoted words with its last argument; undefined for any other line. */
function plainCommand(line: string, jobFile: string): string | undefined {
  if (isPlain(line)) return `${line} ${shellQuote(jobFile)}`;
  const bare = UNTIL_COMMENT.exec(line)?.[1];
  return bare !== undefined && isPlain(bare) ? bare : undefined;
}

function changeTo(directory: string): string {
  // `command` skips shell functions, which the user may have named cd or echo.
  return `command cd ${shellQuote(directory)} || { command echo ${shellQuote(cannotEnter(directory))}; exit 126; }\n`;
}

export function cannotEnter(directory: string): string {
  return `fjord: cannot enter the working directory ${directory}`;
}

/** Message and exit code for a shell that cannot run on this host. The launcher shell looks for a shell without a path itself. */
export function problemOfShell(
  shell: string,
): { readonly message: string; readonly status: number } | undefined {
  const [file = ""] = shell.split(" ", 1);
  if (!file.startsWith("/")) return undefined;
  try {
    if (fs.statSync(file).isFile() && isExecutable(file)) return undefined;
  } catch (error) {
    // Other errors, for example a path that is too long, do not come from the project's store, so waiting would not help.
    if (isErrno(error, "ENOENT", "ENOTDIR")) {
      return { message: `fjord: there is no shell ${file} on this host`, status: 127 };
    }
  }
  return { message: `fjord: the shell ${file} is not a program that may be run here`, status: 126 };
}

export function canEnter(directory: string): boolean {
  return isExecutable(`${directory}/`);
}

/** Whether a directory has been removed. The runner may still be in it, and a job there would fail without a clear reason. */
export function isGone(directory: string): boolean {
  try {
    return fs.statSync(directory, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false; // the store has trouble, and the runner can still work in its directory
  }
}

function invocation({ line, jobFile, nice, shell }: RunRequest, launcher: string): string {
  const file = shellQuote(jobFile);
  const prefix = nice === undefined ? "" : `nice -n ${nice} `;
  if (line === undefined) return `exec ${prefix}${file}`;
  const whole = shellQuote(`${line} ${file}`);
  if (shell === undefined) {
    const plain = plainCommand(line, jobFile);
    if (plain !== undefined) return `exec ${prefix}${plain}`;
    if (nice === undefined && launcher === SH && !OWN_NUMBER.test(line)) return `eval ${whole}`;
  }
  // A variable carries the line, because every user on the host can read the arguments of a process.
  return `export ${LINE}=${whole}; exec ${prefix}${shell ?? SH} -c 'fjord_line=$${LINE}; unset ${LINE}; eval "$fjord_line"'`;
}

function isPlain(line: string): boolean {
  if (!PLAIN.test(line)) return false;
  const first = line.split(/[ \t]/, 1)[0] ?? "";
  if (first.includes("=") || first.startsWith("-") || first.startsWith("%")) return false;
  return !SHELL_WORDS.has(first);
}
