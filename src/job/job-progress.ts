import { cut } from "./quote.js";

/** How far a job says that it is. `done` and `of` are null when it told no number. */
export interface JobProgress {
  readonly done: number | null;
  readonly of: number | null;
  readonly text: string;
}

const NUMBER = /^(\d+(?:\.\d+)?)(?:\/(\d+(?:\.\d+)?)|%)?(?:\s+(.*))?$/;

/** Control characters but the tab: no line that somebody wrote for people. */
const BINARY = /[^\P{Cc}\t]/u;

/**
 * Reads what a job told: `40` (of 100), `40%` or `3/7`, and a text behind it; or a text alone. An empty line and what is no
 * text tell nothing.
 */
export function parseProgress(told: string): JobProgress | undefined {
  const line = told.trim();
  if (line === "" || BINARY.test(line)) return undefined;
  const [, done, of, text = ""] = NUMBER.exec(line) ?? [];
  const whole = Number(of ?? 100);
  if (done === undefined || whole === 0) return { done: null, of: null, text: cut(line) };
  return { done: Number(done), of: whole, text: cut(text) };
}

/** `40%`, `42% (3/7) epoch 3`: rounded down, so that 100 % is the end. */
export function formatProgress({ done, of, text }: JobProgress): string {
  if (done === null || of === null) return text;
  const percent = `${Math.min(100, Math.floor((done / of) * 100))}%`;
  return [percent, ...(of === 100 ? [] : [`(${done}/${of})`]), ...(text === "" ? [] : [text])].join(" ");
}
