import { FjordError } from "./error.js";
import { quote } from "./quote.js";
import { strip } from "./whitespace.js";

/** The values of one element of a sweep, by name, in the order in which they were said. */
export type Values = ReadonlyMap<string, string>;

/** One of the things that vary in a sweep: its elements in their order, each with values of its own. */
export interface Dimension {
  /** What it is called in messages: `--param lr`. */
  readonly what: string;
  /** The names of its values; an element may lack some. */
  readonly names: readonly string[];
  readonly count: number;
  /** @param i from 0 */
  at(i: number): Values;
}

/** More is a slip of the pen, and no directory bears it. */
const SWEEP_LIMIT = 1_000_000;

/** The number of an element, from 1, unless a value has that name: what somebody says goes before. */
export const INDEX = "index";

/** It cannot stand beside it in a job file. */
function isOtherIndex(name: string): boolean {
  return name !== INDEX && name.toLowerCase() === INDEX;
}

/** What varies, taken together: `count` elements, computed when they are asked for. */
export class Sweep {
  readonly count: number;
  /** The names of all values. */
  readonly names: ReadonlySet<string>;
  readonly #dimensions: readonly Dimension[];
  readonly #isZipped: boolean;
  readonly #isNumbered: boolean;

  /**
   * @param isZipped element i is the i-th of each dimension; else all combinations, those of the last dimension following
   * one another
   * @throws FjordError `bad-usage` when dimensions do not fit together, or there are no or too many elements
   */
  constructor(dimensions: readonly Dimension[], isZipped: boolean) {
    this.#dimensions = dimensions;
    this.#isZipped = isZipped;
    const names = namesOf(dimensions);
    this.#isNumbered = !names.some(isOtherIndex);
    this.names = new Set([...(this.#isNumbered ? [INDEX] : []), ...names]);
    for (const { what, count } of dimensions) {
      if (count === 0) throw new FjordError("bad-usage", `${what} has no values.`);
    }
    if (isZipped) checkLengths(dimensions);
    this.count = isZipped
      ? (dimensions[0]?.count ?? 0)
      : dimensions.reduce((product, { count }) => product * count, 1);
    if (this.count > SWEEP_LIMIT) {
      const found = `These are ${this.count} jobs, more than ${SWEEP_LIMIT}.`;
      throw new FjordError("bad-usage", found, "Submit them in parts.");
    }
  }

  /** @param i from 0 */
  at(i: number): Values {
    const values = new Map(this.#isNumbered ? [[INDEX, String(i + 1)]] : []);
    let rest = i;
    const chosen = this.#dimensions.toReversed().map((dimension) => {
      const at = this.#isZipped ? i : rest % dimension.count;
      rest = Math.floor(rest / dimension.count);
      return dimension.at(at);
    });
    for (const some of chosen.reverse()) for (const [name, value] of some) values.set(name, value);
    return values;
  }
}

/** Keys of an ini file are lower case, so no two names may differ only in that. */
function namesOf(dimensions: readonly Dimension[]): string[] {
  const all = new Map<string, string>();
  for (const { what, names } of dimensions) {
    for (const name of names) {
      const other = all.get(name.toLowerCase());
      if (other !== undefined) {
        const isSame = other === name;
        const why = isSame ? "is said twice" : `is ${quote(other)} in a job file, whose keys have no case`;
        throw new FjordError("bad-usage", `${what}: ${quote(name)} ${why}.`);
      }
      all.set(name.toLowerCase(), name);
    }
  }
  return [...all.values()];
}

function checkLengths(dimensions: readonly Dimension[]): void {
  const [first] = dimensions;
  const other = dimensions.find(({ count }) => count !== first?.count);
  if (first === undefined || other === undefined) return;
  throw new FjordError(
    "bad-usage",
    `zip: ${first.what} has ${first.count} values and ${other.what} ${other.count}.`,
    "Give them as many, or leave out zip for all combinations.",
  );
}

/** A dimension of one value an element. */
export function oneByOne(what: string, name: string, values: readonly string[]): Dimension {
  return { what, names: [name], count: values.length, at: (i) => new Map([[name, values[i] ?? ""]]) };
}

/** A dimension whose elements have no values: so often the same. */
export function repetition(count: number): Dimension {
  return { what: "--repeat", names: [], count, at: () => new Map() };
}

/** A dimension of elements that have several values each. */
export function tuples(what: string, elements: readonly Values[]): Dimension {
  const names = [...new Set(elements.flatMap((values) => [...values.keys()]))];
  return { what, names, count: elements.length, at: (i) => elements[i] ?? new Map() };
}

const PARAM = /^([A-Za-z_][\w.-]*)=(.*)$/s;

/**
 * `--param NAME=VALUE,VALUE…`, the values as `readValues` has them.
 *
 * @throws FjordError `bad-usage`
 */
export function readParam(text: string): Dimension {
  const [, name, list] = PARAM.exec(text) ?? [];
  if (name === undefined || list === undefined) {
    throw new FjordError("bad-usage", `--param: found ${quote(text)}.`, "Write --param NAME=VALUE,VALUE…");
  }
  return oneByOne(`--param ${name}`, name, readValues("--param", list, strip));
}

/**
 * Values with commas between them. One may be a range: `1..10`, `10..1`, `001..100`, `0..1..0.25`. A backslash before a comma
 * or a backslash takes it literally.
 *
 * @param what has these values, for messages
 * @param clean what is done to each value first
 * @throws FjordError `bad-usage`
 */
export function readValues(what: string, list: string, clean = (value: string) => value): string[] {
  const values: string[] = [];
  // At commas with an even number of backslashes before them.
  for (const raw of list.split(/(?<=(?<!\\)(?:\\\\)*),/)) {
    const item = clean(raw);
    for (const value of rangeOf(what, item) ?? [item.replace(/\\([\\,])/g, "$1")]) values.push(value);
  }
  return values;
}

/**
 * fjd's `--parameters a#b,c#d`: elements between commas, their values between `#`, called `param1`, `param2` …
 */
export function readParameters(text: string): Dimension {
  const elements = text
    .split(",")
    .map((element) => new Map(element.split("#").map((value, i) => [`param${i + 1}`, value])));
  return tuples("--parameters", elements);
}

const NUMBER = String.raw`-?\d+(?:\.\d+)?`;
const RANGE = new RegExp(String.raw`^(${NUMBER})\.\.(${NUMBER})(?:\.\.(${NUMBER}))?$`);

/** The values of a range, exact in decimals, as wide as its ends when one of them begins with a zero. */
function rangeOf(what: string, text: string): string[] | undefined {
  const [, first, last, stride] = RANGE.exec(text) ?? [];
  if (first === undefined || last === undefined) return undefined;
  const decimals = Math.max(
    ...[first, last, stride ?? ""].map((number) => number.split(".")[1]?.length ?? 0),
  );
  if (stride === undefined && decimals > 0) {
    throw new FjordError(
      "bad-usage",
      `${what}: ${quote(text)} has no step.`,
      `Write such as ${first}..${last}..0.1.`,
    );
  }
  const scale = 10 ** decimals;
  const [from, to, step] = [first, last, stride ?? "1"].map((number) =>
    Math.round(Number(number) * scale),
  ) as [number, number, number];
  if (step === 0) throw new FjordError("bad-usage", `${what}: ${quote(text)} has a step of 0.`);
  const count = Math.floor(Math.abs(to - from) / Math.abs(step)) + 1;
  if (!(count <= SWEEP_LIMIT)) {
    throw new FjordError("bad-usage", `${what}: ${quote(text)} has more than ${SWEEP_LIMIT} values.`);
  }
  const width = [first, last].some((end) => /^-?0\d/.test(end)) ? Math.max(first.length, last.length) : 0;
  const direction = to < from ? -Math.abs(step) : Math.abs(step);
  return Array.from({ length: count }, (_, i) =>
    padded(((from + direction * i) / scale).toFixed(decimals), width),
  );
}

/** With zeros behind the sign. */
function padded(number: string, width: number): string {
  return number.startsWith("-")
    ? `-${number.slice(1).padStart(width - 1, "0")}`
    : number.padStart(width, "0");
}
