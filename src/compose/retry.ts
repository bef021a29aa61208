import type { Layout } from "../project/layout.js";
import type { JobPlace } from "../report/jobs.js";
import { isErrno, type Store } from "../spool/store.js";
import { exists } from "../spool/submit.js";

/** What became of the wish to run a job again. `unlike`: it has not failed. `name-taken`: another of its name waits. */
export interface Retried {
  readonly job: string;
  readonly end: "queued" | "unlike" | "name-taken" | "gone";
  /** Where it was. */
  readonly state: JobPlace["state"];
}

/**
 * Puts jobs that failed or were cancelled back into the queue, each with one rename. Their attempts are counted anew.
 *
 * @param dryRun tell only
 */
export async function retry(
  store: Store,
  layout: Layout,
  places: readonly JobPlace[],
  dryRun: boolean,
): Promise<Retried[]> {
  const retried: Retried[] = [];
  for (const { job, file, state, path } of places) {
    const tell = (end: Retried["end"]) => retried.push({ job, state, end });
    if (state !== "failed" && state !== "cancelled") tell("unlike");
    else if (await exists(store, layout.queued(file))) tell("name-taken");
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
