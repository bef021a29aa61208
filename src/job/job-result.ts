import { cut } from "./quote.js";

/** What a job says has come out of it: a JSON object. */
export type JobResult = Readonly<Record<string, unknown>>;

export type ResultReading =
  | { readonly ok: true; readonly result: JobResult }
  | { readonly ok: false; readonly problem: string };

/** Bytes, as the job wrote it and as the ledger holds it: a line of the ledger has to stay one that can be looked up. */
export const RESULT_LIMIT = 64 * 1024;
/** Deeper than anybody's table, and far from what a parser's stack bears. */
const DEEPEST = 64;

const utf8 = new TextDecoder("utf-8", { fatal: true });
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * Reads what a job wrote to `$FJORD_RESULT`: a JSON object, or lines of `key = value`, of which empty ones and those that
 * begin with `#` are passed over. A value that is written as JSON writes a number is one; any other is text.
 *
 * @param content no more than a byte over the limit has to be there
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
  if (text.includes("\0")) return bad("is no text: it holds a NUL");
  const reading = text.startsWith("{") ? parseJson(text) : parseLines(text);
  if (reading.ok && Buffer.byteLength(JSON.stringify(reading.result)) > RESULT_LIMIT) {
    return bad(`is larger than ${RESULT_LIMIT} bytes as JSON`);
  }
  return reading;
}

function parseJson(text: string): ResultReading {
  try {
    const result = JSON.parse(text) as JobResult;
    return isDeeper(result, DEEPEST) ? bad(`is nested deeper than ${DEEPEST} levels`) : { ok: true, result };
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

/** A number that would not come back as large as it was written stays text: an id of twenty digits, say. */
function typed(text: string): string | number {
  const number = Number(text);
  const isSafe = Number.isInteger(number) ? Number.isSafeInteger(number) : Number.isFinite(number);
  return NUMBER.test(text) && isSafe ? number : text;
}

function bad(problem: string): ResultReading {
  return { ok: false, problem };
}
