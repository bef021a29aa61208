import { elementName, elementOf } from "../job/element.js";
import { FjordError } from "../job/error.js";
import { nearest } from "../job/nearest.js";
import { numbersOf, type Range, rangesOf } from "../job/numbers.js";
import { quote } from "../job/quote.js";
import { type Pattern, readSelection } from "../job/selection.js";
import type { Layout } from "../project/layout.js";
import { hasNumber, placeOfNumbers } from "../report/arrays.js";
import type { JobPlace } from "../report/jobs.js";
import type { PartKind } from "../spool/array-parts.js";

/**
 * The jobs that words name, each once, in the order of the words and then by name. Numbers of an array that are no jobs yet
 * are named as if they were; those with which it is the same share one place.
 *
 * @param jobs by name
 * @param arrays those that have begun, and the numbers of which they are, where that is known: such a name means all of the
 * array
 * @param words names, patterns and ranges; none: all jobs
 * @throws FjordError `no-such-job` for a name that is none, and when no job matches a pattern; `bad-usage`
 */
export function select(
  layout: Layout,
  jobs: ReadonlyMap<string, JobPlace>,
  arrays: ReadonlyMap<string, readonly Range[] | undefined>,
  words: readonly string[],
): JobPlace[] {
  if (words.length === 0) return [...jobs.values()].sort(byName);
  const selection = new Selection(jobs, arrays);
  for (const word of words) {
    for (const pattern of patternsOf(word)) {
      if (!(pattern.isGlob ? selection.match(pattern) : selection.take(pattern.text, word))) {
        throw noSuchJob(pattern.text, pattern.isGlob, [...jobs.keys()]);
      }
    }
  }
  return selection.places(layout);
}

/** What has been chosen up to now. */
class Selection {
  readonly #jobs: ReadonlyMap<string, JobPlace>;
  /** Places of numbers, by array; none for an array whose numbers are all jobs. */
  readonly #arrays = new Map<string, JobPlace[]>();
  readonly #ranges: ReadonlyMap<string, readonly Range[] | undefined>;
  readonly #chosen = new Map<string, JobPlace>();
  /** Numbers, by the place that stands for them. */
  readonly #numbers = new Map<JobPlace, Set<number>>();

  constructor(
    jobs: ReadonlyMap<string, JobPlace>,
    arrays: ReadonlyMap<string, readonly Range[] | undefined>,
  ) {
    this.#jobs = jobs;
    this.#ranges = arrays;
    for (const name of arrays.keys()) this.#arrays.set(name, []);
    for (const place of jobs.values()) {
      if (place.numbers === undefined) continue;
      const ofArray = this.#arrays.get(place.numbers.array) ?? [];
      this.#arrays.set(place.numbers.array, ofArray);
      ofArray.push(place);
    }
  }

  /** A name. @returns whether there is anything of that name */
  take(...names: string[]): boolean {
    for (const name of names) {
      const place = this.#jobs.get(name);
      const isArray = this.#takeArray(name);
      if (place !== undefined) this.#choose(place);
      if (place !== undefined || isArray || this.#takeNumber(name)) return true;
    }
    return false;
  }

  /** A pattern. @returns whether anything matches */
  match(pattern: Pattern): boolean {
    const before = this.#chosen.size + this.#countNumbers();
    for (const place of [...this.#jobs.values()].filter(({ job }) => pattern.matches(job)).sort(byName)) {
      if (place.numbers === undefined) this.#choose(place);
    }
    for (const [array, places] of this.#arrays) {
      if (pattern.matches(array)) this.#takeArray(array);
      for (const place of places) {
        for (const number of numbersOf(place.numbers?.ranges ?? [])) {
          if (pattern.matches(elementName(array, number))) this.#chooseNumber(place, number);
        }
      }
    }
    return this.#chosen.size + this.#countNumbers() > before || this.#isChosen(pattern);
  }

  /** In the order in which they were first named. */
  places(layout: Layout): JobPlace[] {
    return [...this.#chosen.values()].map((place) => {
      const numbers = this.#numbers.get(place);
      if (place.numbers === undefined || numbers === undefined) return place;
      const { array } = place.numbers;
      const ranges = rangesOf([...numbers].sort((a, b) => a - b));
      const { path } = place;
      return { ...placeOfNumbers(layout, { array, ranges }, place.state as PartKind), path };
    });
  }

  #isChosen(pattern: Pattern): boolean {
    return [...this.#chosen.values()].some(({ job }) => pattern.matches(job));
  }

  #countNumbers(): number {
    return [...this.#numbers.values()].reduce((sum, numbers) => sum + numbers.size, 0);
  }

  #choose(place: JobPlace): void {
    this.#chosen.set(place.job, place);
  }

  #takeArray(name: string): boolean {
    const places = this.#arrays.get(name);
    if (places === undefined) return false;
    const ranges = this.#ranges.get(name);
    const isOwn = ({ job }: JobPlace) => {
      const element = elementOf(job);
      if (element?.array !== name) return false;
      return ranges === undefined || hasNumber({ array: name, ranges }, element.number);
    };
    const own = [...this.#jobs.values()].filter(isOwn).sort(byName);
    for (const place of own) if (place.numbers === undefined) this.#choose(place);
    for (const place of places) {
      for (const number of numbersOf(place.numbers?.ranges ?? [])) this.#chooseNumber(place, number);
    }
    return true;
  }

  #takeNumber(name: string): boolean {
    const element = elementOf(name);
    const place = this.#arrays
      .get(element?.array ?? "")
      ?.find(({ numbers }) => element !== undefined && numbers && hasNumber(numbers, element.number));
    if (place === undefined || element === undefined) return false;
    this.#chooseNumber(place, element.number);
    return true;
  }

  #chooseNumber(place: JobPlace, number: number): void {
    const numbers = this.#numbers.get(place) ?? new Set();
    this.#numbers.set(place, numbers);
    numbers.add(number);
    this.#choose(place);
  }
}

/** What a word names. @throws FjordError `bad-usage` when that is too many */
export function patternsOf(word: string): ReturnType<typeof readSelection> {
  try {
    return readSelection(word);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FjordError("bad-usage", `${error.message}.`, "Name fewer jobs at once, or use a pattern.");
  }
}

/** Names that are compared with a mistyped one. */
const NEAR_AMONG = 10_000;

const collator = new Intl.Collator("en", { numeric: true });

/** `run2` before `run10`. */
function byName(a: JobPlace, b: JobPlace): number {
  return collator.compare(a.job, b.job) || (a.job < b.job ? -1 : 1);
}

function noSuchJob(word: string, isGlob: boolean, known: readonly string[]): FjordError {
  if (isGlob) {
    return new FjordError("no-such-job", `No job matches ${quote(word)}.`, "fjord list shows all jobs.");
  }
  const near = scriptOf(word, known) ?? nearest(word, known.slice(0, NEAR_AMONG));
  const hint = near === undefined ? "fjord list shows all jobs." : `Did you mean ${quote(near)}?`;
  return new FjordError("no-such-job", `There is no job ${quote(word)}.`, hint);
}

/** A script keeps its ending in its job's name, a job file does not: `hello.sh` and `hello` are taken for one another. */
function scriptOf(word: string, known: readonly string[]): string | undefined {
  const stem = word.replace(/\.[^.]+$/, "");
  return known.find((job) => job.startsWith(`${word}.`)) ?? known.find((job) => job === stem);
}
