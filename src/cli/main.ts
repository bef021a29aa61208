import { FjordError } from "../job/error.js";
import { messageOf } from "../store/errno.js";
import { isSystemError } from "../store/store.js";
import { closeInheritedFiles } from "./inherited-files.js";
import { watchOutput } from "./output.js";

/** The exit codes of every command; docs/exit-codes.md. */
export const EXIT = {
  ok: 0,
  /** Some jobs failed. */
  someFailed: 1,
  /** The command was refused or could not do its work, because of bad usage, bad settings, a missing project and so on. */
  refused: 2,
  /** The worker or job that was named does not exist. */
  unknown: 3,
  /** A bug in fjord. */
  bug: 70,
  /** Ended by Ctrl-C (128 + SIGINT). */
  interrupted: 130,
} as const;

/** Prints one line, which begins with the name of the program. */
export function say(program: string, text: string): void {
  process.stdout.write(`[${program}] ${text}\n`);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Prints one line beside the output of a command, on standard error. */
export function note(program: string, text: string): void {
  process.stderr.write(`[${program}] ${text}\n`);
}

/** Returns an abort signal that the first Unix signal to end this process aborts. */
export function endSignal(): AbortSignal {
  const end = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => end.abort());
  return end.signal;
}

/** Prints a refusal, or a bug with its stack. @returns the exit code */
function printError(program: string, error: unknown): number {
  const print = (text: string) => note(program, text);
  if (error instanceof FjordError) {
    for (const line of error.message.split("\n")) print(line);
    if (error.hint !== "") print(error.hint);
    return error.code === "no-such-worker" || error.code === "no-such-job" ? EXIT.unknown : EXIT.refused;
  }
  if (isSystemError(error)) {
    print(messageOf(error));
    print("The directory or its disk refused this. Repair it and try again.");
    return EXIT.refused;
  }
  print("This is a bug in fjord; please report it.");
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  return EXIT.bug;
}

/** State of standard output: a reader exists, the reader has gone, or a write failed. A failure is final. */
type OutputState = "read" | "gone" | "failed";
let output: OutputState = "read";
let stopPrinting: (() => void) | undefined;

/**
 * Sets an action that runs when the reader of standard output goes, or when a write fails. A command needs an action if it must
 * stop other processes, or has much left to print. Without an action, the process ends when the reader goes.
 */
export function whenUnheard(act: () => void): void {
  stopPrinting = act;
}

/** Whether some output could not be written. If so, a line on standard error has reported this, and the exit code is 2. */
export function hasLostOutput(): boolean {
  return output === "failed";
}

/** The reason why a write failed, as part of a sentence: `ENOSPC: no space left on device`. */
export function whyNotWritten(error: unknown): string {
  return messageOf(error).replace(/, (?:write|open)\b.*$/s, "");
}

/**
 * Runs a command and ends the process with its exit code. The process also ends when the reader of its output goes
 * (`fjord status | head -1`).
 */
export function main(program: string, run: () => Promise<number>): void {
  const onGone = () => {
    if (output === "read") output = "gone";
    if (stopPrinting === undefined) process.exit(EXIT.ok);
    stopPrinting();
  };
  runToEnd(program, run, onGone, (code) => {
    if (output !== "read") process.exit(code);
    // A pipe holds only 64 KiB at once, so this waits until the rest has been read.
    process.stdout.write("", () => process.exit(code));
  });
}

/** Runs a daemon, which goes on when its terminal is closed or the reader of its output goes. */
export function mainOfDaemon(program: string, run: () => Promise<number>): void {
  closeInheritedFiles();
  const onGone = () => undefined;
  runToEnd(program, run, onGone, (code) => process.exit(code));
}

/**
 * Output that cannot be written is reported once. It does not end the process, because commands and daemons have other work than
 * printing. After such a failure the exit code is 2, also when yargs ends the process (`--help`).
 */
function runToEnd(
  program: string,
  run: () => Promise<number>,
  onGone: () => void,
  exit: (code: number) => void,
): void {
  const onFailure = (error: Error) => {
    if (output === "failed") return;
    output = "failed";
    note(program, `Standard output could not be written: ${whyNotWritten(error)}.`);
    stopPrinting?.();
  };
  process.on("exit", () => {
    if (output === "failed") process.exitCode = EXIT.refused;
  });
  watchOutput({ onGone, onFailure });
  run().then(exit, (error) => exit(printError(program, error)));
}
