import { spawn } from "node:child_process";
import { once } from "node:events";
import { FjordError } from "../job/error.js";
import { quote } from "../job/quote.js";
import { SHELL_WORDS, shellQuote } from "../job/shell-words.js";
import { systemClock } from "../store/clock.js";

/** Longest time in ms that an editor may take to end after a signal. */
const GRACE = 2000;
/**
 * Matches a program and its options, without quotes or operators. A shell can `exec` such a program, so that a signal reaches the
 * program itself.
 */
const PLAIN = /^([\w./~+-]+)(?: +[\w./~+=:,-]+)*$/;

/** `runs`: the editor still runs after the signal, although its time to end is over. */
export type EditorEnd = "ended" | "stopped" | "runs";

/**
 * Opens a file in `$VISUAL` or `$EDITOR` as git does, with a shell command line whose last word is the file. The editor uses the
 * terminal, so the editor handles the signals of the terminal's keys itself.
 *
 * @param stop ends the editor. The reason of this abort signal is the name of the Unix signal to send
 * @throws FjordError `bad-usage` when the editor fails
 */
export async function openEditor(file: string, stop: AbortSignal): Promise<EditorEnd> {
  const editor = process.env.VISUAL || process.env.EDITOR || "vi";
  const program = PLAIN.exec(editor)?.[1];
  const become = program === undefined || SHELL_WORDS.has(program) ? "" : "exec ";
  const line = `${become}${editor} ${shellQuote(file)}`;
  const child = spawn("/bin/sh", ["-c", line], { stdio: "inherit" });
  const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  const stopped = stop.aborted ? Promise.resolve() : once(stop, "abort").then(() => undefined);
  const end = await Promise.race([ended, stopped]);
  if (end === undefined) {
    child.kill(stop.reason as NodeJS.Signals);
    return Promise.race([
      ended.then(() => "stopped" as const),
      systemClock.sleep(GRACE).then(() => "runs" as const),
    ]);
  }
  const [status, signal] = end;
  if (status === 0) return "ended";
  if (stop.aborted) return "stopped";
  const how = signal === null ? `with exit code ${status}` : `by ${signal}`;
  throw new FjordError(
    "bad-usage",
    `The editor ${quote(editor)} ended ${how}; the job is as it was.`,
    "Set VISUAL or EDITOR.",
  );
}
