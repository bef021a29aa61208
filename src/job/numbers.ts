import { quote } from "./quote.js";

/** Whole numbers from `from` to `to` in steps of `step`. The number `to` itself is in the range. */
export interface Range {
  readonly from: number;
  readonly to: number;
  /** Step between two numbers; 1 when the range is a single number. */
  readonly step: number;
}

/** Largest number of elements of an array. */
const NUMBERS_LIMIT = 1_000_000;
const RANGE = /^(\d{1,9})(?:(?:-|\.\.)(\d{1,9})(?:(?::|\.\.)(\d{1,9}))?)?$/;
/** At most nine digits, which every language reads as an integer. */
const NUMBER = /^(?:0|[1-9]\d{0,8})$/;

/**
 * Reads ranges: `1-100`, `0-99:5` (every fifth) and `3`, separated by commas, as in Slurm's `--array`; also `1..100` and
 * `0..99..5`, as in `--param`.
 *
 * @returns ranges sorted by their first number
 * @throws RangeError that says what is wrong
 */
export function readRanges(text: string): Range[] {
  const ranges = text.split(",").map((part) => readRange(part.trim()));
  if (countOf(ranges) > NUMBERS_LIMIT) {
    throw new RangeError(`these are ${countOf(ranges)} elements, more than ${NUMBERS_LIMIT}`);
  }
  const seen = new Set<number>();
  for (const number of numbersOf(ranges)) {
    if (seen.has(number)) throw new RangeError(`${number} is given twice`);
    seen.add(number);
  }
  return ranges.sort((a, b) => a.from - b.from);
}

function readRange(text: string): Range {
  const [, first, last = first, stride = "1"] = RANGE.exec(text) ?? [];
  const ends = [first, last, stride];
  if (first === undefined || last === undefined || ends.some((end) => !NUMBER.test(end ?? ""))) {
    const what = "whole numbers without leading zeros, such as 1-100, 0-99:5 or 1,3,10-20";
    throw new RangeError(`found ${quote(text)}; write ${what}`);
  }
  const [from, end, step] = ends.map(Number) as [number, number, number];
  if (step === 0 || from > end) throw new RangeError(`found ${quote(text)}, which counts nothing`);
  return rangeOf(from, end, step);
}

function rangeOf(from: number, end: number, step: number): Range {
  const to = end - ((end - from) % step);
  return { from, to, step: from === to ? 1 : step };
}

/** Writes a range for `readRanges`: `7`, `1-100`, `0-95:5`. */
export function formatRange({ from, to, step }: Range): string {
  if (from === to) return String(from);
  return step === 1 ? `${from}-${to}` : `${from}-${to}:${step}`;
}

/** Reads a range that `formatRange` has written; undefined for any other text. */
export function parseRange(text: string): Range | undefined {
  try {
    const range = readRange(text);
    return formatRange(range) === text ? range : undefined;
  } catch {
    return undefined;
  }
}

export function countIn({ from, to, step }: Range): number {
  return (to - from) / step + 1;
}

export function countOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, range) => sum + countIn(range), 0);
}

/** The smallest and the largest number. @param ranges sorted by their first number */
export function endsOfRanges(ranges: readonly Range[]): [first: number, last: number] {
  return [ranges[0]?.from ?? 0, Math.max(...ranges.map(({ to }) => to))];
}

export function contains({ from, to, step }: Range, number: number): boolean {
  return number >= from && number <= to && (number - from) % step === 0;
}

export function* numbersOf(ranges: readonly Range[]): Generator<number> {
  for (const { from, to, step } of ranges) for (let n = from; n <= to; n += step) yield n;
}

/** The part of ranges that lies between two numbers, both included. */
export function clip(ranges: readonly Range[], first: number, last: number): Range[] {
  return ranges.flatMap(({ from, to, step }) => {
    const begin = from >= first ? from : from + Math.ceil((first - from) / step) * step;
    return begin > Math.min(to, last) ? [] : [rangeOf(begin, Math.min(to, last), step)];
  });
}

/** Splits a range into the numbers that are inside other ranges and the numbers that are not. */
export function divide(range: Range, others: readonly Range[]): { inside: Range[]; outside: Range[] } {
  const near = clip(others, range.from, range.to).sort((a, b) => a.from - b.from);
  if (range.step > 1 || near.some(({ step }) => step > 1)) return divideOneByOne(range, near);
  const inside: Range[] = [];
  const outside: Range[] = [];
  let next = range.from;
  for (const { from, to } of near) {
    if (to < next) continue; // ranges may overlap
    if (from > next) outside.push(rangeOf(next, from - 1, 1));
    inside.push(rangeOf(Math.max(from, next), to, 1));
    next = to + 1;
  }
  if (next <= range.to) outside.push(rangeOf(next, range.to, 1));
  return { inside, outside };
}

function divideOneByOne(range: Range, others: readonly Range[]): { inside: Range[]; outside: Range[] } {
  const chosen = new Set(numbersOf(others));
  const numbers = [...numbersOf([range])];
  return {
    inside: rangesOf(numbers.filter((number) => chosen.has(number))),
    outside: rangesOf(numbers.filter((number) => !chosen.has(number))),
  };
}

/** Splits a range after its first `count` numbers. */
export function cutAfter(range: Range, count: number): { head: Range; rest: Range | undefined } {
  if (count >= countIn(range)) return { head: range, rest: undefined };
  const { from, to, step } = range;
  const next = from + count * step;
  return { head: rangeOf(from, next - step, step), rest: rangeOf(next, to, step) };
}

/**
 * Ranges that hold exactly these numbers. The function makes one pass, so it finds few ranges, but not always the fewest.
 *
 * @param numbers ascending
 */
export function rangesOf(numbers: Iterable<number>): Range[] {
  const ranges: Range[] = [];
  let run: Range | undefined;
  for (const number of numbers) {
    if (run === undefined) run = { from: number, to: number, step: 1 };
    else if (run.from === run.to) run = { from: run.from, to: number, step: number - run.from };
    else if (number === run.to + run.step) run = { ...run, to: number };
    else if (run.from + run.step === run.to && run.step > 1) {
      // Two numbers that are far apart do not make a series. The second number may begin a series of its own.
      ranges.push(rangeOf(run.from, run.from, 1));
      run = { from: run.to, to: number, step: number - run.to };
    } else {
      ranges.push(run);
      run = { from: number, to: number, step: 1 };
    }
  }
  if (run === undefined) return ranges;
  const isPair = run.from < run.to && run.from + run.step === run.to && run.step > 1;
  return [...ranges, ...(isPair ? [rangeOf(run.from, run.from, 1), rangeOf(run.to, run.to, 1)] : [run])];
}

/** Reads the number in an element's name; undefined for any other text. */
export function parseNumber(text: string): number | undefined {
  return NUMBER.test(text) ? Number(text) : undefined;
}
