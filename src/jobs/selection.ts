import { elementName, elementOf } from "../job/element.js";
import { FjordError } from "../job/error.js";
import { numbersOf, type Range, rangesOf } from "../job/numbers.js";
import { type Pattern, readSelection } from "../job/selection.js";
import type { Layout } from "../project/layout.js";
import { hasNumber, placeOfNumbers } from "./numbers.js";
import { isSingle, type JobPlace, type NumbersPlace, type SinglePlace } from "./places.js";

/** Names and patterns for which a word of a command stands. @throws FjordError `bad-usage` if there are too many */
export function patternsOf(word: string): readonly Pattern[] {
  try {
    return readSelection(word);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FjordError("bad-usage", `${error.message}.`, "Name fewer jobs at once, or use a pattern.");
  }
}

/** The words that are patterns, which may match more than one name. */
export function globsOf(words: readonly string[]): Pattern[] {
  return words.flatMap(patternsOf).filter(({ isGlob }) => isGlob);
}

/**
 * Jobs that names and patterns select, each once. Numbers of an array that have no job files yet are selected by the names that
 * these jobs will have.
 */
export class Selection {
  readonly #jobs: ReadonlyMap<string, JobPlace>;
  /** Places of numbers, by array; empty for an array whose numbers all have job files. */
  readonly #arrays = new Map<string, NumbersPlace[]>();
  readonly #ranges: ReadonlyMap<string, readonly Range[] | undefined>;
  readonly #selected = new Map<string, JobPlace>();
  /** Selected numbers, by the place that holds them. */
  readonly #numbers = new Map<NumbersPlace, Set<number>>();

  /**
   * @param jobs by name
   * @param arrays names of the arrays that have begun, with the ranges of each array if they are known. Such a name selects
   * the whole array.
   */
  constructor(
    jobs: ReadonlyMap<string, JobPlace>,
    arrays: ReadonlyMap<string, readonly Range[] | undefined>,
  ) {
    this.#jobs = jobs;
    this.#ranges = arrays;
    for (const name of arrays.keys()) this.#arrays.set(name, []);
    for (const place of jobs.values()) {
      if (place.kind === "job") continue;
      const ofArray = this.#arrays.get(place.numbers.array) ?? [];
      this.#arrays.set(place.numbers.array, ofArray);
      ofArray.push(place);
    }
  }

  /** Selects the job, the array or the element of a name. @returns whether there is one */
  addNamed(name: string): boolean {
    const place = this.#jobs.get(name);
    const isArray = this.#addArray(name);
    if (place !== undefined) this.#add(place);
    return place !== undefined || isArray || this.#addElement(name);
  }

  /** Selects all jobs and numbers that match a pattern. @returns whether there is one */
  addMatching(pattern: Pattern): boolean {
    const before = this.#size;
    for (const place of this.#singlesWhere(({ job }) => pattern.matches(job))) this.#add(place);
    for (const [array, places] of this.#arrays) {
      if (pattern.matches(array)) this.#addArray(array);
      for (const place of places) {
        for (const number of numbersOf(place.numbers.ranges)) {
          if (pattern.matches(elementName(array, number))) this.#addNumber(place, number);
        }
      }
    }
    return this.#size > before || [...this.#selected.values()].some(({ job }) => pattern.matches(job));
  }

  /** The selected jobs, in the order in which they were selected first. Selected numbers in the same state share one place. */
  places(layout: Layout): JobPlace[] {
    return [...this.#selected.values()].map((place) => {
      const selected = place.kind === "numbers" ? this.#numbers.get(place) : undefined;
      if (place.kind === "job" || selected === undefined) return place;
      const ranges = rangesOf([...selected].sort((a, b) => a - b));
      return placeOfNumbers(layout, { array: place.numbers.array, ranges }, place.state, place.path);
    });
  }

  get #size(): number {
    return [...this.#numbers.values()].reduce((sum, { size }) => sum + size, this.#selected.size);
  }

  #add(place: JobPlace): void {
    this.#selected.set(place.job, place);
  }

  #addArray(name: string): boolean {
    const places = this.#arrays.get(name);
    if (places === undefined) return false;
    const ranges = this.#ranges.get(name);
    const isElement = ({ job }: SinglePlace) => {
      const element = elementOf(job);
      if (element?.array !== name) return false;
      return ranges === undefined || hasNumber({ array: name, ranges }, element.number);
    };
    for (const place of this.#singlesWhere(isElement)) this.#add(place);
    for (const place of places) {
      for (const number of numbersOf(place.numbers.ranges)) this.#addNumber(place, number);
    }
    return true;
  }

  #singlesWhere(isWanted: (place: SinglePlace) => boolean): SinglePlace[] {
    return [...this.#jobs.values()].filter(isSingle).filter(isWanted).sort(byName);
  }

  #addElement(name: string): boolean {
    const element = elementOf(name);
    if (element === undefined) return false;
    const place = this.#arrays.get(element.array)?.find(({ numbers }) => hasNumber(numbers, element.number));
    if (place === undefined) return false;
    this.#addNumber(place, element.number);
    return true;
  }

  #addNumber(place: NumbersPlace, number: number): void {
    const numbers = this.#numbers.get(place) ?? new Set();
    this.#numbers.set(place, numbers);
    numbers.add(number);
    this.#add(place);
  }
}

const collator = new Intl.Collator("en", { numeric: true });

/** Sorts `run2` before `run10`. */
export function byName(a: JobPlace, b: JobPlace): number {
  return collator.compare(a.job, b.job) || (a.job < b.job ? -1 : 1);
}
