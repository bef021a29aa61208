import { elementOf } from "./element.js";
import { contains, type Range, readRanges } from "./numbers.js";

/** One word of a selection: the name of a job, or a pattern that several names may match. */
export interface Pattern {
  readonly text: string;
  /** Whether the word may match other names than its own text. */
  readonly isGlob: boolean;
  matches(job: string): boolean;
}

/** Largest number of words to which one word with braces may expand. */
const EXPANSION_LIMIT = 1_000_000;
const RANGE = /^(-?\d+)\.\.(-?\d+)(?:\.\.(\d+))?$/;

/**
 * Reads a word that names jobs: a name, or a shell pattern (`*`, `?`, `[abc]`, `[!a-c]`; glob(7)). Both may have braces as in
 * bash: `run{1..50}`, `run{01..50..7}`, `run{3,5,8}`. The suffix `.ini` is optional. A backslash makes the next character
 * literal. fjord's own name for elements of an array, such as `run_[7,10-50]`, means exactly these elements.
 *
 * @throws RangeError when braces expand to more than a million words, or when a name is shortened with "…"
 */
export function readSelection(word: string): Pattern[] {
  return expandBraces(word).map(patternOf);
}

/** Expands braces. Braces with neither a range nor a list stay as they are. */
function expandBraces(word: string): string[] {
  const brace = findBrace(word);
  if (brace === undefined) return [word];
  const { open, close, parts } = brace;
  const head = word.slice(0, open);
  const tails = expandBraces(word.slice(close + 1));
  if (parts.length * tails.length > EXPANSION_LIMIT) {
    throw new RangeError(`"${word}" stands for more than ${EXPANSION_LIMIT} names`);
  }
  return parts.flatMap((part) => tails.map((tail) => head + part + tail));
}

function findBrace(word: string): { open: number; close: number; parts: readonly string[] } | undefined {
  for (let open = word.indexOf("{"); open >= 0; open = word.indexOf("{", open + 1)) {
    if (word[open - 1] === "\\") continue;
    const close = word.indexOf("}", open);
    if (close < 0) return undefined;
    const inside = word.slice(open + 1, close);
    const parts = inside.includes(",") ? inside.split(",") : rangeOf(inside);
    if (parts !== undefined) return { open, close, parts };
  }
  return undefined;
}

function rangeOf(text: string): string[] | undefined {
  const match = RANGE.exec(text);
  if (match === null) return undefined;
  const [, first = "", last = "", stride] = match;
  const [from, to] = [Number(first), Number(last)];
  const step = Math.max(1, Number(stride ?? 1));
  const count = Math.floor(Math.abs(to - from) / step) + 1;
  if (!(count <= EXPANSION_LIMIT)) {
    throw new RangeError(`"{${text}}" stands for more than ${EXPANSION_LIMIT} names`);
  }
  const width = [first, last].some((end) => /^-?0\d/.test(end)) ? Math.max(first.length, last.length) : 0;
  return Array.from({ length: count }, (_, i) =>
    String(from + (to < from ? -step : step) * i).padStart(width, "0"),
  );
}

const SPECIAL = /[.*+?^${}()|[\]\\]/g;
const GLOB = /\\(.)|\*|\?|\[(!?)([^\]]+)\]|[^\\*?[]+|./gsu;

/** fjord's own name for elements of an array: `A_[7,10-100:5]`. */
const NUMBERS = /^([^*?[\]\\]+)_\[(\d[\d,:-]*[-,][\d,:-]*)\]$/;
const SHORTENED = /_\[[^\]]*…\]$/;

function numbersPattern(text: string): Pattern | undefined {
  const [, array, said] = NUMBERS.exec(text) ?? [];
  if (array === undefined || said === undefined) return undefined;
  let ranges: Range[];
  try {
    ranges = readRanges(said);
  } catch {
    return undefined; // the brackets hold a set of characters
  }
  const isMeant = (job: string) => {
    const element = elementOf(job);
    return element?.array === array && ranges.some((range) => contains(range, element.number));
  };
  return { text, isGlob: true, matches: (job) => job === text || isMeant(job) };
}

function patternOf(word: string): Pattern {
  const text = word.endsWith(".ini") ? word.slice(0, -".ini".length) : word;
  if (SHORTENED.test(text)) throw new RangeError(`"${text}" leaves numbers out where it says …`);
  const numbers = numbersPattern(text);
  if (numbers !== undefined) return numbers;
  let isGlob = false;
  let source = "";
  for (const [part, escaped, not, set] of text.matchAll(GLOB)) {
    if (escaped !== undefined) source += escaped.replace(SPECIAL, "\\$&");
    else if (part === "*") source += ".*";
    else if (part === "?") source += ".";
    else if (set !== undefined) source += `[${not === "" ? "" : "^"}${set.replace(/[\\^[\]]/g, "\\$&")}]`;
    else source += part.replace(SPECIAL, "\\$&");
    isGlob ||= part === "*" || part === "?" || set !== undefined;
  }
  const name = text.replace(/\\(.)/gsu, "$1");
  if (!isGlob) return { text: name, isGlob, matches: (job) => job === name || job === text };
  let pattern: RegExp;
  try {
    pattern = new RegExp(`^${source}$`, "su");
  } catch {
    return { text, isGlob: false, matches: (job) => job === text }; // an invalid set such as [z-a]: the word is a name
  }
  // A job's name may look like a pattern. As a pattern, the name always matches its own job.
  return { text, isGlob, matches: (job) => job === text || pattern.test(job) };
}
