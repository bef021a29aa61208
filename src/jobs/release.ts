import { forgetEdits } from "../spool/edit-mark.js";
import type { Site } from "../store/site.js";
import { backToQueue } from "./back-to-queue.js";
import { isSingle, type JobPlace, type JobState, pathInState } from "./places.js";

/**
 * Result of releasing one job. `not-held`: the job was not held. `name-taken`: another job with the same name waits. `gone`: the
 * job was moved or removed meanwhile.
 */
export interface Released {
  readonly job: string;
  /** Number of jobs, if the name stands for numbers of an array; 1 by default. */
  readonly count?: number;
  readonly end: "queued" | "not-held" | "name-taken" | "gone";
  readonly state: JobState;
}

const HELD: ReadonlySet<JobState> = new Set(["held"]);

/** Puts held jobs back into the queue, and ends their edits. The jobs keep their age. */
export async function release(site: Site, places: readonly JobPlace[], dryRun: boolean): Promise<Released[]> {
  const { store, layout } = site;
  const released: Released[] = await backToQueue(site, places, {
    from: HELD,
    unfit: "not-held",
    dryRun,
  });
  const queued = places.filter((_, i) => released[i]?.end === "queued").filter(isSingle);
  if (!dryRun) await forgetEdits(site, new Set(queued.map(({ file }) => file)));
  // If a name was used again, the search may have found another job than the held one.
  const isHeld = await Promise.all(places.map(({ file }) => store.has(pathInState(layout, "held", file))));
  return released.map((one, i) =>
    one.end === "not-held" && isHeld[i] ? { ...one, end: "name-taken" } : one,
  );
}
