import { elementOf } from "../job/element.js";
import type { Range } from "../job/numbers.js";
import type { Layout } from "../project/layout.js";
import { placeOfNumbers } from "../report/arrays.js";
import { findJobs, type JobPlace, type JobState, onePlaceEach } from "../report/jobs.js";
import { listArrays } from "../spool/array-parts.js";
import { look } from "../spool/intake.js";
import type { Store } from "../spool/store.js";
import { patternsOf, select } from "./select.js";

/**
 * The jobs that words name, as `select` has them. Elements of an array that is in the queue still, as nobody has dispatched
 * since, can be named, too.
 *
 * @throws FjordError `no-such-job`, `bad-usage`
 */
export async function chooseJobs(
  store: Store,
  layout: Layout,
  words: readonly string[],
  states?: ReadonlySet<JobState>,
): Promise<JobPlace[]> {
  const jobs = await onePlaceEach(store, await findJobs(store, layout, states));
  for (const name of arraysNamed(words, jobs)) {
    const seen = await look(store, layout.queued(`${name}.ini`), `${name}.ini`);
    if (seen.kind !== "valid" || seen.job.array === undefined) continue;
    const place = placeOfNumbers(layout, { array: name, ranges: seen.job.array.ranges }, "waiting");
    jobs.set(place.job, { ...place, path: layout.queued(`${name}.ini`) });
  }
  const arrays = new Map<string, readonly Range[] | undefined>();
  for (const name of await listArrays(store, layout)) {
    const seen = words.includes(name) ? await look(store, layout.arrayFile(name), `${name}.ini`) : undefined;
    arrays.set(name, seen?.kind === "valid" ? seen.job.array?.ranges : undefined);
  }
  return select(layout, jobs, arrays, words);
}

/** Jobs in the queue of which an element is named, if they are arrays. */
function arraysNamed(words: readonly string[], jobs: ReadonlyMap<string, JobPlace>): Set<string> {
  const inQueue = (place: JobPlace | undefined) => place?.state === "waiting" && place.worker === undefined;
  const named = new Set<string>();
  for (const { text, isGlob } of words.flatMap(patternsOf)) {
    const array = elementOf(text)?.array;
    if (!isGlob && array !== undefined && !jobs.has(text) && inQueue(jobs.get(array))) named.add(array);
    if (!isGlob) continue;
    for (const place of jobs.values()) {
      if (inQueue(place) && text.startsWith(`${place.job}_`)) named.add(place.job);
    }
  }
  return named;
}
