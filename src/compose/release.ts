import type { Layout } from "../project/layout.js";
import type { JobPlace, JobState } from "../report/jobs.js";
import type { Store } from "../spool/store.js";
import { backToQueue } from "./back-to-queue.js";

/**
 * What became of the wish to release a job. `not-held`: there is nothing to release. `name-taken`: another of its name waits. `gone`:
 * it is not where it was any more.
 */
export interface Released {
  readonly job: string;
  /** How many jobs it stands for, as numbers of an array; 1 if not said. */
  readonly count?: number;
  readonly end: "queued" | "not-held" | "name-taken" | "gone";
  readonly state: JobState;
}

const HELD: ReadonlySet<JobState> = new Set(["held"]);

/** Held jobs go back to the queue, with the age that they had. */
export async function release(
  store: Store,
  layout: Layout,
  places: readonly JobPlace[],
  dryRun: boolean,
): Promise<Released[]> {
  const released: Released[] = await backToQueue(store, layout, places, {
    from: HELD,
    unfit: "not-held",
    dryRun,
  });
  // Of a name that was used again, the held job is not the one that was found.
  const isHeld = await Promise.all(places.map(({ file }) => store.has(layout.held(file))));
  return released.map((one, i) =>
    one.end === "not-held" && isHeld[i] ? { ...one, end: "name-taken" } : one,
  );
}
