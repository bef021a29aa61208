import { readHistory } from "../ledger/attempts.js";
import type { Site } from "../store/site.js";
import { backToQueue } from "./back-to-queue.js";
import { findJobs } from "./find.js";
import { arrayOfPlace } from "./numbers.js";
import type { JobPlace, JobState } from "./places.js";

/**
 * Result of retrying one job. `unlike`: the job has not failed. `name-taken`: another job with the same name waits. `gone`: the
 * job was moved or removed meanwhile.
 */
export interface Retried {
  readonly job: string;
  /** Number of jobs, if the name stands for numbers of an array; 1 by default. */
  readonly count?: number;
  readonly end: "queued" | "unlike" | "name-taken" | "gone";
  /** State in which the job was found. */
  readonly state: JobState;
}

const ENDED_BADLY: ReadonlySet<JobState> = new Set(["failed", "cancelled"]);

/**
 * S9: puts failed and cancelled jobs back into the queue, each with one rename. Then it puts back the jobs that were cancelled
 * because one of these jobs had not succeeded. Attempts are counted from 0 again.
 *
 * @param dryRun whether to report only what would be done
 */
export async function retry(site: Site, places: readonly JobPlace[], dryRun: boolean): Promise<Retried[]> {
  const terms = { from: ENDED_BADLY, unfit: "unlike", dryRun } as const;
  const retried = await backToQueue(site, places, terms);
  const named = new Set(places.map(({ job }) => job));
  const back = new Set(retried.filter(({ end }) => end === "queued").map(({ job }) => job));
  const revived = places
    .filter(({ job }) => back.has(job))
    .flatMap((place) => {
      const { job } = place;
      const array = arrayOfPlace(place);
      return array === undefined ? [job] : [job, array]; // other jobs may wait for the job, or for its whole array
    });
  const dependents = (await dependentsOf(site, revived)).filter(({ job }) => !named.has(job));
  return retried.concat(await backToQueue(site, dependents, terms));
}

/** Finds the jobs that were cancelled because of these jobs, directly or through other cancelled jobs. */
async function dependentsOf(site: Site, jobs: readonly string[]): Promise<JobPlace[]> {
  const cancelled = jobs.length > 0 ? await findJobs(site, new Set(["cancelled"])) : [];
  if (cancelled.length === 0) return [];
  const names = new Set(cancelled.map(cancelledName));
  const { cancellations } = await readHistory(site, (job) => names.has(job));
  const chosen = new Set(jobs);
  const found: JobPlace[] = [];
  for (let before = -1; before < found.length; ) {
    before = found.length;
    for (const place of cancelled) {
      const name = cancelledName(place);
      if (chosen.has(name) || !chosen.has(cancellations.get(name)?.because ?? "")) continue;
      chosen.add(name);
      found.push(place);
    }
  }
  return found;
}

/** Name under which the ledger records that a dependent job was cancelled. An array is cancelled as a whole. */
function cancelledName(place: JobPlace): string {
  return place.kind === "numbers" ? place.numbers.array : place.job;
}
