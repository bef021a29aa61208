import { elementName, elementOf } from "../job/element.js";
import { jobName } from "../job/name.js";
import { contains, countIn, countOf, formatRange, numbersOf, type Range } from "../job/numbers.js";
import type { Layout } from "../project/layout.js";
import { type ArrayView, listArrays, type PartKind, readArray } from "../spool/array-parts.js";
import type { Store } from "../spool/store.js";
import type { JobPlace, JobState } from "./jobs.js";

/** Numbers of an array that are no jobs yet, and that one place stands for. */
export interface Numbers {
  readonly array: string;
  /** Ascending by where they begin. */
  readonly ranges: readonly Range[];
}

/** Ranges that a name spells out. */
const SPELLED = 5;
const KINDS: readonly PartKind[] = ["waiting", "held", "cancelled"];

/** The arrays that have begun. */
export async function readArrays(store: Store, layout: Layout): Promise<ArrayView[]> {
  const views: ArrayView[] = [];
  for (const name of await listArrays(store, layout)) {
    const view = await readArray(store, layout, name);
    if (view !== undefined) views.push(view);
  }
  return views;
}

/** What people call numbers of an array that are no jobs yet: `A_17`, `A_[18-1000]`. */
export function nameOfNumbers({ array, ranges }: Numbers): string {
  const [only, ...more] = ranges;
  if (only !== undefined && more.length === 0 && only.from === only.to) return elementName(array, only.from);
  const shown = ranges.slice(0, SPELLED).map(formatRange);
  return `${array}_[${shown.join(",")}${ranges.length > SPELLED ? ",…" : ""}]`;
}

/** The array of whose numbers this is the name; undefined for a job's. */
export function arrayOfNumbers(name: string): string | undefined {
  return /^(.+)_\[[\d,:…-]+\]$/.exec(name)?.[1];
}

/** One place for numbers of an array with which it is the same. */
export function placeOfNumbers(layout: Layout, numbers: Numbers, state: PartKind): JobPlace {
  const path = layout.arrayFile(numbers.array);
  return { job: nameOfNumbers(numbers), file: `${numbers.array}.ini`, state, path, numbers };
}

/** Where an array's numbers are: jobs on their way to the queue one by one, and what is no job yet, a place for each kind. */
export function placesOf(layout: Layout, view: ArrayView, states: ReadonlySet<JobState>): JobPlace[] {
  const { name, parts, outgoing } = view;
  const places: JobPlace[] = [];
  for (const { entry, files } of states.has("waiting") ? outgoing : []) {
    for (const file of files) {
      places.push({ job: jobName(file), file, state: "waiting", path: layout.inArray(name, entry, file) });
    }
  }
  for (const kind of KINDS) {
    const ranges = parts.filter((part) => part.kind === kind).map(({ range }) => range);
    if (ranges.length > 0 && states.has(kind)) {
      places.push(placeOfNumbers(layout, { array: name, ranges }, kind));
    }
  }
  return places;
}

/** How many jobs a place stands for. */
export function sizeOfPlace({ numbers }: Pick<JobPlace, "numbers">): number {
  return numbers === undefined ? 1 : countOf(numbers.ranges);
}

/** How many jobs places stand for together. */
export function sizeOfPlaces(places: readonly Pick<JobPlace, "numbers">[]): number {
  return places.reduce((sum, place) => sum + sizeOfPlace(place), 0);
}

/** The array whose element, or elements, a place would be; undefined where the name says that it is none's. */
export function arrayOfPlace({ job, numbers }: Pick<JobPlace, "job" | "numbers">): string | undefined {
  return numbers?.array ?? elementOf(job)?.array;
}

/** Names of the jobs that places stand for, also of those that are to become jobs. */
export function namesOf(places: readonly Pick<JobPlace, "job" | "numbers">[]): string[] {
  return places.flatMap(({ job, numbers }) =>
    numbers === undefined
      ? [job]
      : [...numbersOf(numbers.ranges)].map((number) => elementName(numbers.array, number)),
  );
}

export function hasNumber({ ranges }: Numbers, number: number): boolean {
  return ranges.some((range) => contains(range, number));
}

/** Whether a job is no job yet, but a number of one of these: whatever lies elsewhere under its name is of an earlier life. */
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

/** How many of the numbers come before this one. */
export function countBefore({ ranges }: Numbers, number: number): number {
  return ranges.reduce((sum, range) => {
    if (range.from >= number) return sum;
    return sum + Math.min(countIn(range), Math.ceil((number - range.from) / range.step));
  }, 0);
}
