import { FjordError } from "../job/error.js";
import { messageOf } from "../spool/errno.js";
import { isSystemError } from "../spool/store.js";

/** The exit codes of every command; docs/exit-codes.md. */
export const EXIT = {
  ok: 0,
  /** Some jobs failed. */
  someFailed: 1,
  /** The command was refused or could not do its work: bad usage, bad settings, no such project … */
  refused: 2,
  /** A worker or job that was named is not there. */
  unknown: 3,
  /** A bug in fjord. */
  bug: 70,
  /** Ended by Ctrl-C (128 + SIGINT). */
  interrupted: 130,
} as const;

function exitCodeOf(error: FjordError): number {
  return error.code === "no-such-worker" || error.code === "no-such-job" ? EXIT.unknown : EXIT.refused;
}

/** One line on the terminal, signed by whoever says it. */
export function say(who: string, text: string): void {
  process.stdout.write(`[${who}] ${text}\n`);
}

/** Aborted by the first signal that asks to end. */
export function endSignal(): AbortSignal {
  const end = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => end.abort());
  return end.signal;
}

/** Tells a refusal, or a bug with its stack; gives the exit code. */
function tellError(who: string, error: unknown): number {
  if (error instanceof FjordError) {
    for (const line of error.message.split("\n")) process.stderr.write(`[${who}] ${line}\n`);
    if (error.hint !== "") process.stderr.write(`[${who}] ${error.hint}\n`);
    return exitCodeOf(error);
  }
  if (isSystemError(error)) {
    process.stderr.write(
      `[${who}] ${messageOf(error)}\n[${who}] The directory or its disk refused; mend that and try again.\n`,
    );
    return EXIT.refused;
  }
  process.stderr.write(
    `[${who}] This is a bug in fjord; please report it.\n${error instanceof Error ? error.stack : String(error)}\n`,
  );
  return EXIT.bug;
}

let onUnheard: () => void = () => process.exit(EXIT.ok);
let isUnheard = false;

/** For what has more to end than itself when its reader goes. */
export function whenUnheard(act: () => void): void {
  onUnheard = act;
}

/** Runs a command and ends the process with its exit code. A reader that goes (`fjord status | head -1`) ends it. */
export function main(who: string, run: () => Promise<number>): void {
  runToEnd(
    who,
    run,
    () => {
      isUnheard = true;
      onUnheard();
    },
    (code) => {
      if (isUnheard) process.exit(code);
      process.stdout.write("", () => process.exit(code)); // a pipe takes 64 KiB at once; the rest is still to be read
    },
  );
}

/** The same for what works on when nobody hears it any more: its terminal was closed, its reader has gone. */
export function mainOfDaemon(who: string, run: () => Promise<number>): void {
  runToEnd(
    who,
    run,
    () => undefined,
    (code) => process.exit(code),
  );
}

function runToEnd(
  who: string,
  run: () => Promise<number>,
  onUnheard: () => void,
  exit: (code: number) => void,
): void {
  const unheard = (act: () => void) => (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
    act();
  };
  process.stdout.on("error", unheard(onUnheard));
  process.stderr.on(
    "error",
    unheard(() => undefined),
  );
  run().then(
    (code) => exit(code),
    (error) => exit(tellError(who, error)),
  );
}
