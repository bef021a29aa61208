import { cut } from "./quote.js";

/** Progress that a job reports. `done` and `of` are null when the job reports no number. */
export interface JobProgress {
  readonly done: number | null;
  readonly of: number | null;
  readonly text: string;
}

const NUMBER = /^(\d+(?:\.\d+)?)(?:\/(\d+(?:\.\d+)?)|%)?(?:\s+(.*))?$/;

/** Control characters other than tab. A line with one is not text. */
const BINARY = /[^\P{Cc}\t]/u;

/**
 * Reads a line that a job wrote: `40` (of 100), `40%` or `3/7`, each with an optional text after it, or a text alone.
 *
 * @returns undefined for an empty line and for a line that is not text
 */
export function parseProgress(told: string): JobProgress | undefined {
  const line = told.trim();
  if (line === "" || BINARY.test(line)) return undefined;
  const [, done, of, text = ""] = NUMBER.exec(line) ?? [];
  const whole = Number(of ?? 100);
  if (done === undefined || whole === 0) return { done: null, of: null, text: cut(line) };
  return { done: Number(done), of: whole, text: cut(text) };
}

/** Writes progress for people: `40%`, `42% (3/7) epoch 3`. Percentages are rounded down, so that 100 % means the end. */
export function formatProgress({ done, of, text }: JobProgress): string {
  if (done === null || of === null) return text;
  const percent = `${Math.min(100, Math.floor((done / of) * 100))}%`;
  return [percent, ...(of === 100 ? [] : [`(${done}/${of})`]), ...(text === "" ? [] : [text])].join(" ");
}
