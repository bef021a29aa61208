import type { Layout } from "../project/layout.js";
import { readHistory } from "../report/attempts.js";
import { findJobs, type JobPlace } from "../report/jobs.js";
import { isErrno, type Store } from "../spool/store.js";

/** What became of the wish to run a job again. `unlike`: it has not failed. `name-taken`: another of its name waits. */
export interface Retried {
  readonly job: string;
  readonly end: "queued" | "unlike" | "name-taken" | "gone";
  /** Where it was. */
  readonly state: JobPlace["state"];
}

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
  const retried = await putBackAll(store, layout, places, dryRun);
  const named = new Set(places.map(({ job }) => job));
  const revived = retried.filter(({ end }) => end === "queued").map(({ job }) => job);
  const dependents = (await dependentsOf(store, layout, revived)).filter(({ job }) => !named.has(job));
  return retried.concat(await putBackAll(store, layout, dependents, dryRun));
}

/** Jobs that were cancelled because of these, or because of one of those in turn. */
async function dependentsOf(store: Store, layout: Layout, jobs: readonly string[]): Promise<JobPlace[]> {
  const cancelled = jobs.length > 0 ? await findJobs(store, layout, new Set(["cancelled"])) : [];
  if (cancelled.length === 0) return [];
  const names = new Set(cancelled.map(({ job }) => job));
  const { cancellations } = await readHistory(store, layout, (job) => names.has(job));
  const chosen = new Set(jobs);
  const found: JobPlace[] = [];
  for (let before = -1; before < found.length; ) {
    before = found.length;
    for (const place of cancelled) {
      if (chosen.has(place.job) || !chosen.has(cancellations.get(place.job)?.because ?? "")) continue;
      chosen.add(place.job);
      found.push(place);
    }
  }
  return found;
}

async function putBackAll(
  store: Store,
  layout: Layout,
  places: readonly JobPlace[],
  dryRun: boolean,
): Promise<Retried[]> {
  const retried: Retried[] = [];
  for (const { job, file, state, path } of places) {
    const tell = (end: Retried["end"]) => retried.push({ job, state, end });
    if (state !== "failed" && state !== "cancelled") tell("unlike");
    else if (await store.has(layout.queued(file))) tell("name-taken");
    else if (dryRun) tell("queued");
    else {
      try {
        await store.rename(path, layout.queued(file));
        tell("queued");
      } catch (error) {
        if (!isErrno(error, "ENOENT")) throw error;
        tell("gone");
      }
    }
  }
  return retried;
}
