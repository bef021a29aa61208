import { parse } from "lossless-json";
import { cut } from "./quote.js";

/** Result that a job reports: a JSON object. */
export type JobResult = Readonly<Record<string, unknown>>;

export type ResultReading =
  | { readonly ok: true; readonly result: JobResult }
  | { readonly ok: false; readonly problem: string };

/** Largest result in bytes, both as the job wrote it and as JSON in the ledger. It keeps the lines of a ledger short. */
export const RESULT_LIMIT = 64 * 1024;
/** Deepest allowed nesting of a result. This is far below the depth at which the recursive parser would overflow its stack. */
const DEEPEST = 64;

const utf8 = new TextDecoder("utf-8", { fatal: true });
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * Reads the file that a job wrote to `$FJORD_RESULT`: a JSON object, or lines of `key = value`. Empty lines and lines that
 * begin with `#` are skipped. A value that is a number in JSON's notation becomes a number, and any other value is text. A
 * number that JavaScript cannot hold is text in both forms.
 *
 * @param content the file. If the file is over the limit, its first `RESULT_LIMIT + 1` bytes are enough
 */
export function parseResult(content: Uint8Array): ResultReading {
  if (content.length > RESULT_LIMIT) return bad(`is larger than ${RESULT_LIMIT} bytes`);
  let text: string;
  try {
    text = utf8.decode(content).trim();
  } catch {
    return bad("is not UTF-8");
  }
  if (text === "") return bad("is empty");
  if (text.includes("\0")) return bad("is not text: it contains a NUL");
  const reading = text.startsWith("{") ? parseJson(text) : parseLines(text);
  if (reading.ok && Buffer.byteLength(JSON.stringify(reading.result)) > RESULT_LIMIT) {
    return bad(`is larger than ${RESULT_LIMIT} bytes as JSON`);
  }
  return reading;
}

function parseJson(text: string): ResultReading {
  try {
    // `parse` recurses and `JSON.parse` does not. So the depth is first measured in the result of `JSON.parse`.
    if (isDeeper(JSON.parse(text), DEEPEST)) return bad(`is nested deeper than ${DEEPEST} levels`);
    const lastCounts = ({ newValue }: { newValue: unknown }) => newValue;
    const options = { parseNumber: kept, onDuplicateKey: lastCounts };
    return { ok: true, result: parse(text, undefined, options) as JobResult };
  } catch (error) {
    return bad(`begins like JSON and is not: ${cut((error as Error).message)}`);
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

function parseLines(text: string): ResultReading {
  const entries: [string, string | number][] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const equals = line.indexOf("=");
    const key = line.slice(0, Math.max(0, equals)).trim();
    if (key === "") return bad(`is neither a JSON object nor key=value: see its line ${index + 1}`);
    entries.push([key, typed(line.slice(equals + 1).trim())]);
  }
  return { ok: true, result: Object.fromEntries(entries) };
}

function typed(text: string): string | number {
  return NUMBER.test(text) ? kept(text) : text;
}

/**
 * Converts a number if JavaScript can hold it. An integer beyond 2^53 stays text, because it would become another integer. A
 * number that would become infinite or 0 stays text too. A fraction is rounded to about 16 digits.
 *
 * @param text a number in JSON's notation
 */
function kept(text: string): string | number {
  const number = Number(text);
  const isInteger = !/[.eE]/.test(text);
  const isLost = number === 0 && /^[-0.]*[1-9]/.test(text);
  const isHeld = isInteger ? Number.isSafeInteger(number) : Number.isFinite(number) && !isLost;
  return isHeld ? number : text;
}

function bad(problem: string): ResultReading {
  return { ok: false, problem };
}
