import type { Layout } from "../project/layout.js";
import { arrayOfPlace } from "../report/arrays.js";
import { readHistory } from "../report/attempts.js";
import { findJobs, type JobPlace, type JobState } from "../report/jobs.js";
import type { Store } from "../spool/store.js";
import { backToQueue } from "./back-to-queue.js";

/**
 * What became of the wish to run a job again. `unlike`: it has not failed. `name-taken`: another of its name waits.
 * `gone`: it is not where it was any more.
 */
export interface Retried {
  readonly job: string;
  /** How many jobs it stands for, as numbers of an array; 1 if not said. */
  readonly count?: number;
  readonly end: "queued" | "unlike" | "name-taken" | "gone";
  /** Where it was. */
  readonly state: JobPlace["state"];
}

const ENDED_BADLY: ReadonlySet<JobState> = new Set(["failed", "cancelled"]);

/**
 * Puts jobs that failed or were cancelled back into the queue, each with one rename, and after them those that were
 * cancelled since one of these had not succeeded. Their attempts are counted anew.
 *
 * @param dryRun tell only
 */
export async function retry(
  store: Store,
  layout: Layout,
  places: readonly JobPlace[],
  dryRun: boolean,
): Promise<Retried[]> {
  const terms = { from: ENDED_BADLY, unfit: "unlike", dryRun } as const;
  const retried = await backToQueue(store, layout, places, terms);
  const named = new Set(places.map(({ job }) => job));
  const back = new Set(retried.filter(({ end }) => end === "queued").map(({ job }) => job));
  const revived = places
    .filter(({ job }) => back.has(job))
    .flatMap((place) => {
      const { job } = place;
      const array = arrayOfPlace(place);
      return array === undefined ? [job] : [job, array]; // others may wait for it, or for all of its array
    });
  const dependents = (await dependentsOf(store, layout, revived)).filter(({ job }) => !named.has(job));
  return retried.concat(await backToQueue(store, layout, dependents, terms));
}

/** Jobs that were cancelled because of these, or because of one of those in turn. */
async function dependentsOf(store: Store, layout: Layout, jobs: readonly string[]): Promise<JobPlace[]> {
  const cancelled = jobs.length > 0 ? await findJobs(store, layout, new Set(["cancelled"])) : [];
  if (cancelled.length === 0) return [];
  const names = new Set(cancelled.map(({ job, numbers }) => numbers?.array ?? job));
  const { cancellations } = await readHistory(store, layout, (job) => names.has(job));
  const chosen = new Set(jobs);
  const found: JobPlace[] = [];
  for (let before = -1; before < found.length; ) {
    before = found.length;
    for (const place of cancelled) {
      const name = place.numbers?.array ?? place.job; // an array is cancelled as one
      if (chosen.has(name) || !chosen.has(cancellations.get(name)?.because ?? "")) continue;
      chosen.add(name);
      found.push(place);
    }
  }
  return found;
}
