import { elementOf } from "../job/element.js";
import { countOf, type Range } from "../job/numbers.js";
import { findJobs, onePlaceEach } from "../jobs/find.js";
import { hasNumber, sizeOfPlaces } from "../jobs/numbers.js";
import { JOB_STATES, type JobPlace, type JobState } from "../jobs/places.js";
import { listArrays } from "../spool/array-parts.js";
import { readJobFile } from "../spool/read-job-file.js";
import type { Site } from "../store/site.js";

/** An array that has begun, with the states of its jobs. */
export interface ArrayRecord {
  readonly array: string;
  /** Absolute path of the array's job file. */
  readonly path: string;
  /** Number of the array's jobs; undefined when the array's file can no longer be read. */
  readonly size: number | undefined;
  /** Number of the array's jobs by state, including the numbers that have no job files yet. */
  readonly states: Readonly<Partial<Record<JobState, number>>>;
  /** Names of the numbers that have no job files yet, by state, such as `A_[5-100]`. */
  readonly numbers: Readonly<Partial<Record<JobState, string>>>;
}

/** Reads the arrays of these names, and skips a name that is not the name of an array. */
export async function readArrayRecords(site: Site, names: readonly string[]): Promise<ArrayRecord[]> {
  const { store, layout } = site;
  const begun = new Set(await listArrays(site));
  const arrays = [...new Set(names)].filter((name) => begun.has(name));
  if (arrays.length === 0) return [];
  const places = [...(await onePlaceEach(store, await findJobs(site))).values()];
  const records: ArrayRecord[] = [];
  for (const array of arrays) {
    const path = layout.arrayFile(array);
    const seen = await readJobFile(store, path, `${array}.ini`);
    const ranges = seen.kind === "valid" ? seen.job.array?.ranges : undefined;
    const states: Partial<Record<JobState, number>> = {};
    const numbers: Partial<Record<JobState, string>> = {};
    for (const state of JOB_STATES) {
      const of = places.filter((place) => place.state === state && isElement(place, array, ranges));
      if (of.length === 0) continue;
      states[state] = sizeOfPlaces(of);
      const name = of.find((place) => place.kind === "numbers")?.job;
      if (name !== undefined) numbers[state] = name;
    }
    records.push({ array, path, size: ranges && countOf(ranges), states, numbers });
  }
  return records;
}

/**
 * Whether a place belongs to the array. A job that is left from an older, larger array with the same name does not belong to it.
 */
function isElement(place: JobPlace, array: string, ranges: readonly Range[] | undefined): boolean {
  if (place.kind === "numbers") return place.numbers.array === array;
  const element = elementOf(place.job);
  if (element?.array !== array) return false;
  return ranges === undefined || hasNumber({ array, ranges }, element.number);
}
