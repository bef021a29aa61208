import { areDiffering, firstOf } from "./differing.js";
import { FjordError } from "./error.js";
import type { IniSection } from "./ini-dialect.js";
import { nearest } from "./nearest.js";
import { endsOfRanges, numbersOf, type Range, readRanges } from "./numbers.js";
import { quote } from "./quote.js";
import { INDEX, oneByOne, readValues, Sweep, type Values } from "./sweep.js";
import { strip } from "./whitespace.js";

/** Sections that turn one job file into an array. The elements of an array are many jobs. */
export const ARRAY_SECTIONS = ["sweep", "array"] as const;

/** A job file with `[sweep]` or `[array]`. For each number of its ranges, the file stands for one job. */
export interface JobArray {
  /** The ranges, sorted by their first numbers. */
  readonly ranges: readonly Range[];
  /** Names of the parameters. */
  readonly names: ReadonlySet<string>;
  /** @param number a number in the ranges */
  valuesOf(number: number): Values;
  /** Like `Sweep.needed`, with an element's number in place of its index. */
  needed(textOf: (number: number) => string): string[];
}

/** A mistake in `[sweep]` or `[array]`. */
export class ArrayProblem extends Error {
  readonly section: IniSection;
  readonly key: string | undefined;

  constructor(section: IniSection, key: string | undefined, problem: string) {
    super(problem);
    this.section = section;
    this.key = key;
  }
}

const KEYS = ["range", "zip"] as const;

/**
 * Reads the array of a job file. `[sweep]` has a key for each parameter, with values as for `--param`. The elements are all
 * combinations of these values; the last parameter varies fastest. `range` in `[array]` selects elements by their numbers.
 * Without `[sweep]`, an element's number is its only value.
 *
 * @returns undefined when the file is a single job
 * @throws ArrayProblem
 */
export function readArray(sections: ReadonlyMap<string, IniSection>): JobArray | undefined {
  const [ofSweep, ofArray] = ARRAY_SECTIONS;
  const sweepSection = sections.get(ofSweep);
  const section = sections.get(ofArray);
  if (sweepSection === undefined && section === undefined) return undefined;
  for (const key of section?.own.keys() ?? []) {
    if (section === undefined || (KEYS as readonly string[]).includes(key)) continue;
    const near = nearest(key, KEYS);
    const instead = near === undefined ? `the keys are ${KEYS.join(", ")}` : `did you mean "${near}"?`;
    const own = "the job's own sections may have any other name";
    throw new ArrayProblem(section, key, `is not a key of this section; ${instead} (${own})`);
  }
  const zip = isZipped(section);
  const sweep = sweepSection && readSweep(sweepSection, zip);
  const said = strip(section?.get("range") ?? "");
  if (section !== undefined && said === "" && sweep === undefined) {
    throw new ArrayProblem(section, "range", 'is missing; write such as "range = 1-1000"');
  }
  if (section !== undefined && zip && sweep === undefined) {
    throw new ArrayProblem(section, "zip", "is for the parameters of [sweep], and there are none");
  }
  const ranges = section === undefined || said === "" ? undefined : rangesIn(section, said);
  if (sweep === undefined) return numbersAlone(ranges ?? []);
  if (ranges !== undefined && section !== undefined) checkRanges(section, ranges, sweep.count);
  return {
    ranges: ranges ?? [{ from: 1, to: sweep.count, step: 1 }],
    names: sweep.names,
    valuesOf: (number) => sweep.at(number - 1),
    needed: (textOf) => sweep.needed((i) => textOf(i + 1)),
  };
}

function numbersAlone(ranges: readonly Range[]): JobArray {
  return {
    ranges,
    names: new Set([INDEX]),
    valuesOf: (number) => new Map([[INDEX, String(number)]]),
    needed: (textOf) => (areDiffering(firstOf(numbersOf(ranges)), textOf) ? [] : [INDEX]),
  };
}

function rangesIn(section: IniSection, said: string): Range[] {
  try {
    return readRanges(said);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ArrayProblem(section, "range", error.message);
  }
}

function checkRanges(section: IniSection, ranges: readonly Range[], count: number): void {
  const [first, last] = endsOfRanges(ranges);
  if (first >= 1 && last <= count) return;
  const outside = first < 1 ? first : last;
  throw new ArrayProblem(section, "range", `there is no element ${outside}: [sweep] makes 1 to ${count}`);
}

function isZipped(section: IniSection | undefined): boolean {
  const said = strip(section?.get("zip") ?? "").toLowerCase();
  if (section === undefined || said === "" || said === "no") return false;
  if (said === "yes") return true;
  throw new ArrayProblem(section, "zip", `found ${quote(said)}; write yes or no`);
}

function readSweep(section: IniSection, zip: boolean): Sweep {
  if (section.own.size === 0) {
    throw new ArrayProblem(section, undefined, 'has no parameters; write such as "lr = 0.1, 0.01"');
  }
  const dimensions = [...section.own].map(([name, { value }]) => {
    if (name === INDEX) {
      throw new ArrayProblem(
        section,
        name,
        "is the number of the element; call the parameter something else",
      );
    }
    const list = strip(value ?? "");
    if (list === "") throw new ArrayProblem(section, name, "has no values");
    // People put white space around the values of a list in a file. This white space is not part of the values.
    const values = saying(section, name, () => readValues("", list, strip));
    return oneByOne(quote(name), name, values);
  });
  return saying(section, undefined, () => new Sweep(dimensions, zip));
}

/** Runs a reader and turns its FjordError into an ArrayProblem, which becomes part of the reason why a file is refused. */
function saying<R>(section: IniSection, key: string | undefined, read: () => R): R {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FjordError)) throw error;
    const said = [error.message, error.hint].filter((sentence) => sentence !== "").map(asClause);
    throw new ArrayProblem(section, key, said.join("; "));
  }
}

function asClause(sentence: string): string {
  return `${sentence.slice(0, 1).toLowerCase()}${sentence.slice(1).replace(/\.$/, "")}`;
}
