import { elementOf } from "../job/element.js";
import { countOf, type Range } from "../job/numbers.js";
import type { Layout } from "../project/layout.js";
import { hasNumber, sizeOfPlaces } from "../report/arrays.js";
import { findJobs, JOB_STATES, type JobPlace, type JobState, onePlaceEach } from "../report/jobs.js";
import { listArrays } from "../spool/array-parts.js";
import { look } from "../spool/intake.js";
import type { Store } from "../spool/store.js";

/** An array that has begun, as one. */
export interface ArrayRecord {
  readonly array: string;
  /** Its job file, absolute. */
  readonly path: string;
  /** How many jobs it stands for; undefined when its file cannot be read any more. */
  readonly size: number | undefined;
  /** How many of them are where, also those that are no more than numbers yet. */
  readonly states: Readonly<Partial<Record<JobState, number>>>;
  /** Of those that are no jobs yet, what is with them: `A_[5-100]`, by state. */
  readonly numbers: Readonly<Partial<Record<JobState, string>>>;
}

/** The arrays of these names; names of anything else are passed over. */
export async function readArrayRecords(
  store: Store,
  layout: Layout,
  names: readonly string[],
): Promise<ArrayRecord[]> {
  const begun = new Set(await listArrays(store, layout));
  const arrays = [...new Set(names)].filter((name) => begun.has(name));
  if (arrays.length === 0) return [];
  const places = [...(await onePlaceEach(store, await findJobs(store, layout))).values()];
  const records: ArrayRecord[] = [];
  for (const array of arrays) {
    const path = layout.arrayFile(array);
    const seen = await look(store, path, `${array}.ini`);
    const ranges = seen.kind === "valid" ? seen.job.array?.ranges : undefined;
    const states: Partial<Record<JobState, number>> = {};
    const numbers: Partial<Record<JobState, string>> = {};
    for (const state of JOB_STATES) {
      const of = places.filter((place) => place.state === state && isElement(place, array, ranges));
      if (of.length === 0) continue;
      states[state] = sizeOfPlaces(of);
      const name = of.find((place) => place.numbers !== undefined)?.job;
      if (name !== undefined) numbers[state] = name;
    }
    records.push({ array, path, size: ranges && countOf(ranges), states, numbers });
  }
  return records;
}

/** Not so what is left of an older, larger array of the name. */
function isElement({ job, numbers }: JobPlace, array: string, ranges: readonly Range[] | undefined): boolean {
  if (numbers !== undefined) return numbers.array === array;
  const element = elementOf(job);
  if (element?.array !== array) return false;
  return ranges === undefined || hasNumber({ array, ranges }, element.number);
}
