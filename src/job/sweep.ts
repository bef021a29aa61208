import { areDiffering, COMPARED } from "./differing.js";
import { FjordError } from "./error.js";
import { quote } from "./quote.js";
import { strip } from "./whitespace.js";

/** Values of one element of a sweep, by name, in the order in which the user gave them. */
export type Values = ReadonlyMap<string, string>;

/** One dimension of a sweep: its elements in order, each with its own values. */
export interface Dimension {
  /** Name in messages: `--param lr`. */
  readonly what: string;
  /** Names of the dimension's values. An element may lack some of them. */
  readonly names: readonly string[];
  readonly count: number;
  /** @param i from 0 */
  at(i: number): Values;
}

/** Largest number of jobs of a sweep. A larger number is probably a mistake, and would be too many files for one directory. */
const SWEEP_LIMIT = 1_000_000;

/** Name of the placeholder for the element's number, which counts from 1. A parameter with this name replaces the number. */
export const INDEX = "index";

/** Whether a name differs from `index` only in case, so that a job file cannot hold both. */
function isOtherIndex(name: string): boolean {
  return name !== INDEX && name.toLowerCase() === INDEX;
}

/** The elements of several dimensions together. Each is computed when it is asked for. */
export class Sweep {
  readonly count: number;
  /** Names of all values of the sweep. */
  readonly names: ReadonlySet<string>;
  readonly #dimensions: readonly Dimension[];
  readonly #isZipped: boolean;
  readonly #isNumbered: boolean;

  /**
   * @param isZipped if true, element i takes the i-th value of each dimension. If false, the elements are all combinations, and
   * the last dimension varies fastest
   * @throws FjordError `bad-usage` when the dimensions do not fit together, or when there are no elements or too many
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

  /**
   * Names of the values that a text lacks, and that it would need so that it differs between elements. Each dimension is checked
   * by itself with its first values, so a million elements take no longer than a few.
   *
   * @param textOf the text of an element, counted from 0
   * @returns only INDEX when no value distinguishes the elements of a dimension; nothing when even INDEX does not distinguish
   * them
   */
  needed(textOf: (i: number) => string): string[] {
    const needed: (string | undefined)[] = [];
    let step = 1;
    for (const { count, names } of this.#independent().toReversed()) {
      const elements = Array.from({ length: Math.min(count, COMPARED) }, (_, i) => i * step);
      const tells = (name: string) => areDiffering(elements, (i) => this.at(i).get(name) ?? "");
      if (!areDiffering(elements, textOf)) needed.unshift(names.find(tells));
      step *= count;
    }
    const found = needed.filter((name) => name !== undefined);
    if (found.length === needed.length) return found;
    const isSaid = this.#dimensions.some(({ names }) => names.includes(INDEX));
    return this.#isNumbered && !isSaid ? [INDEX] : [];
  }

  /** Dimensions whose combinations are made. Zipped dimensions count as one. */
  #independent(): readonly Pick<Dimension, "count" | "names">[] {
    if (!this.#isZipped) return this.#dimensions;
    return [{ count: this.count, names: this.#dimensions.flatMap(({ names }) => names) }];
  }
}

/**
 * Collects the names of all dimensions. Two names must not differ only in case, because keys of an ini file are in lower case.
 */
function namesOf(dimensions: readonly Dimension[]): string[] {
  const all = new Map<string, string>();
  for (const { what, names } of dimensions) {
    for (const name of names) {
      const other = all.get(name.toLowerCase());
      if (other !== undefined) {
        const isSame = other === name;
        const why = isSame ? "is given twice" : `is ${quote(other)} in a job file, whose keys have no case`;
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
    "Give all the same number of values, or leave out zip for all combinations.",
  );
}

/** A dimension with one value for each element. */
export function oneByOne(what: string, name: string, values: readonly string[]): Dimension {
  return { what, names: [name], count: values.length, at: (i) => new Map([[name, values[i] ?? ""]]) };
}

/** A dimension whose elements have no values. It repeats the elements of the other dimensions. */
export function repetition(count: number): Dimension {
  return { what: "--repeat", names: [], count, at: () => new Map() };
}

/** A dimension whose elements have several values each. */
export function tuples(what: string, elements: readonly Values[]): Dimension {
  const names = [...new Set(elements.flatMap((values) => [...values.keys()]))];
  return { what, names, count: elements.length, at: (i) => elements[i] ?? new Map() };
}

const PARAM = /^([A-Za-z_][\w.-]*)=(.*)$/s;

/**
 * Reads `--param NAME=VALUE,VALUE…`. The values are read by `readValues`.
 *
 * @throws FjordError `bad-usage`
 */
export function readParam(text: string): Dimension {
  const [, name, list] = PARAM.exec(text) ?? [];
  if (name === undefined || list === undefined) {
    throw new FjordError("bad-usage", `--param: found ${quote(text)}.`, "Write --param NAME=VALUE,VALUE…");
  }
  return oneByOne(`--param ${name}`, name, readValues("--param: ", list, strip));
}

/**
 * Reads values, separated by commas. A value may be a range: `1..10`, `10..1`, `001..100`, `0..1..0.25`. A backslash makes a
 * following comma or backslash literal.
 *
 * @param prefix the beginning of each message: `--param: `, or empty
 * @param clean changes each value before it is read
 * @throws FjordError `bad-usage`
 */
export function readValues(prefix: string, list: string, clean = (value: string) => value): string[] {
  const values: string[] = [];
  // Splits at commas that come after an even number of backslashes. The lookbehind runs only at commas, so long values stay fast.
  for (const raw of list.split(/,(?<=(?<!\\)(?:\\\\)*,)/)) {
    const item = clean(raw);
    for (const value of rangeOf(prefix, item) ?? [item.replace(/\\([\\,])/g, "$1")]) values.push(value);
  }
  return values;
}

/**
 * Reads fjd's `--parameters a#b,c#d`. Commas separate elements, and `#` separates their values `param1`, `param2` …
 */
export function readParameters(text: string): Dimension {
  const elements = text
    .split(",")
    .map((element) => new Map(element.split("#").map((value, i) => [`param${i + 1}`, value])));
  return tuples("--parameters", elements);
}

const NUMBER = String.raw`-?\d+(?:\.\d+)?`;
const RANGE = new RegExp(String.raw`^(${NUMBER})\.\.(${NUMBER})(?:\.\.(${NUMBER}))?$`);

/** Values of a range, exact in decimals. They are padded with zeros when one end of the range begins with a zero. */
function rangeOf(prefix: string, text: string): string[] | undefined {
  const [, first, last, stride] = RANGE.exec(text) ?? [];
  if (first === undefined || last === undefined) return undefined;
  const decimals = Math.max(
    ...[first, last, stride ?? ""].map((number) => number.split(".")[1]?.length ?? 0),
  );
  if (stride === undefined && decimals > 0) {
    throw new FjordError(
      "bad-usage",
      `${prefix}${quote(text)} has no step.`,
      `Write such as ${first}..${last}..0.1.`,
    );
  }
  // Integers in units of the smallest decimal place. They are bigints, because numbers above 2^53 would be rounded.
  const [from, to, step] = [first, last, stride ?? "1"].map((number) => scaled(number, decimals)) as [
    bigint,
    bigint,
    bigint,
  ];
  if (step === 0n) throw new FjordError("bad-usage", `${prefix}${quote(text)} has a step of 0.`);
  const stepUp = step < 0n ? -step : step;
  const count = (to < from ? from - to : to - from) / stepUp + 1n;
  if (count > SWEEP_LIMIT) {
    throw new FjordError("bad-usage", `${prefix}${quote(text)} has more than ${SWEEP_LIMIT} values.`);
  }
  const width = [first, last].some((end) => /^-?0\d/.test(end)) ? Math.max(first.length, last.length) : 0;
  const direction = to < from ? -stepUp : stepUp;
  return Array.from({ length: Number(count) }, (_, i) =>
    padded(decimal(from + direction * BigInt(i), decimals), width),
  );
}

function scaled(number: string, decimals: number): bigint {
  const [whole = "", fraction = ""] = number.split(".");
  return BigInt(whole + fraction.padEnd(decimals, "0"));
}

function decimal(scaledNumber: bigint, decimals: number): string {
  if (decimals === 0) return String(scaledNumber);
  const digits = String(scaledNumber)
    .replace("-", "")
    .padStart(decimals + 1, "0");
  return `${scaledNumber < 0n ? "-" : ""}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** Pads a number with zeros after its sign. */
function padded(number: string, width: number): string {
  return number.startsWith("-")
    ? `-${number.slice(1).padStart(width - 1, "0")}`
    : number.padStart(width, "0");
}
