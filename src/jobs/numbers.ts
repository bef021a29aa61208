import { elementName, elementOf } from "../job/element.js";
import { jobName } from "../job/name.js";
import { contains, countIn, countOf, formatRange, numbersOf } from "../job/numbers.js";
import type { Layout } from "../project/layout.js";
import { type ArrayView, listArrays, type PartKind, readArray } from "../spool/array-parts.js";
import type { Site } from "../store/site.js";
import { type JobPlace, type JobState, NUMBER_STATES, type Numbers, type NumbersPlace } from "./places.js";

/** Largest number of ranges that a name for numbers spells out. */
const SPELLED = 5;

/** Reads the arrays that have begun. */
export async function readArrays(site: Site): Promise<ArrayView[]> {
  const views: ArrayView[] = [];
  for (const name of await listArrays(site)) {
    const view = await readArray(site, name);
    if (view !== undefined) views.push(view);
  }
  return views;
}

/** Name under which users see numbers of an array that have no job files yet: `A_17`, `A_[18-1000]`. */
export function nameOfNumbers({ array, ranges }: Numbers): string {
  const [only, ...more] = ranges;
  if (only !== undefined && more.length === 0 && only.from === only.to) return elementName(array, only.from);
  const shown = ranges.slice(0, SPELLED).map(formatRange);
  return `${array}_[${shown.join(",")}${ranges.length > SPELLED ? ",…" : ""}]`;
}

/** The array to which a name such as `A_[18-1000]` belongs; undefined for the name of a single job. */
export function arrayOfNumbers(name: string): string | undefined {
  return /^(.+)_\[[\d,:…-]+\]$/.exec(name)?.[1];
}

/** Names of the jobs that numbers of an array will become. */
export function namesOfNumbers({ array, ranges }: Numbers): string[] {
  return Array.from(numbersOf(ranges), (number) => elementName(array, number));
}

/** @param path of the array's job file, if the array has not begun and the file is still in the queue */
export function placeOfNumbers(
  layout: Layout,
  numbers: Numbers,
  state: PartKind,
  path = layout.arrayFile(numbers.array),
): NumbersPlace {
  const { array } = numbers;
  return { kind: "numbers", job: nameOfNumbers(numbers), file: `${array}.ini`, state, path, numbers };
}

/** Places of an array: one for each job file that is being moved to the queue, and one for all numbers in each state. */
export function placesOf(layout: Layout, view: ArrayView, states: ReadonlySet<JobState>): JobPlace[] {
  const { name, parts, outgoing } = view;
  const places: JobPlace[] = [];
  for (const { entry, files } of states.has("waiting") ? outgoing : []) {
    for (const file of files) {
      const path = layout.inArray(name, entry, file);
      places.push({ kind: "job", job: jobName(file), file, state: "waiting", path });
    }
  }
  for (const kind of NUMBER_STATES) {
    const ranges = parts.filter((part) => part.kind === kind).map(({ range }) => range);
    if (ranges.length > 0 && states.has(kind)) {
      places.push(placeOfNumbers(layout, { array: name, ranges }, kind));
    }
  }
  return places;
}

/** Number of jobs for which a place stands. */
export function sizeOfPlace(place: JobPlace): number {
  return place.kind === "job" ? 1 : countOf(place.numbers.ranges);
}

/** Number of jobs for which all these places stand. */
export function sizeOfPlaces(places: readonly JobPlace[]): number {
  return places.reduce((sum, place) => sum + sizeOfPlace(place), 0);
}

/** The array to which a place belongs by its name; undefined if the name is not that of an element. */
export function arrayOfPlace(place: JobPlace): string | undefined {
  return place.kind === "numbers" ? place.numbers.array : elementOf(place.job)?.array;
}

/** Names of the jobs for which places stand, also of numbers that have no job files yet. */
export function namesOf(places: readonly JobPlace[]): string[] {
  return places.flatMap((place) => (place.kind === "job" ? [place.job] : namesOfNumbers(place.numbers)));
}

export function hasNumber({ ranges }: Numbers, number: number): boolean {
  return ranges.some((range) => contains(range, number));
}

/**
 * Returns a function that tells whether a job's name is that of one of these numbers. If so, a file with this name belongs to an
 * earlier job.
 */
export function isAmong(all: readonly Numbers[]): (job: string) => boolean {
  const byArray = new Map<string, Numbers[]>();
  for (const numbers of all) byArray.set(numbers.array, [...(byArray.get(numbers.array) ?? []), numbers]);
  if (byArray.size === 0) return () => false;
  return (job) => {
    const element = elementOf(job);
    const ofArray = element && byArray.get(element.array);
    return ofArray?.some((numbers) => hasNumber(numbers, element?.number ?? 0)) ?? false;
  };
}

/** Counts the numbers that come before a given one. */
export function countBefore({ ranges }: Numbers, number: number): number {
  return ranges.reduce((sum, range) => {
    if (range.from >= number) return sum;
    return sum + Math.min(countIn(range), Math.ceil((number - range.from) / range.step));
  }, 0);
}
