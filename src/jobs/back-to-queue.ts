import { renameIfThere } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import { changeNumbers } from "./change-numbers.js";
import { sizeOfPlace } from "./numbers.js";
import type { JobPlace, JobState } from "./places.js";

const KINDS = ["held", "cancelled"] as const;

interface PutBack<Unfit extends string> {
  readonly job: string;
  readonly state: JobState;
  /**
   * `name-taken`: another job with the same name waits, and would be overwritten. `gone`: the job was moved or removed meanwhile.
   */
  readonly end: "queued" | Unfit | "name-taken" | "gone";
  /** Number of jobs, if the name stands for numbers of an array; 1 by default. */
  readonly count?: number;
}

interface Terms<Unfit extends string> {
  /** States of the jobs that go back to the queue. */
  readonly from: ReadonlySet<JobState>;
  /** Result for a job in another state, which stays where it is. */
  readonly unfit: Unfit;
  /** Whether to report only what would be done. */
  readonly dryRun: boolean;
}

/** S4, S9: puts jobs back into the queue, each with one rename. A job keeps its age. */
export async function backToQueue<Unfit extends string>(
  site: Site,
  places: readonly JobPlace[],
  { from, unfit, dryRun }: Terms<Unfit>,
): Promise<PutBack<Unfit>[]> {
  const { store, layout } = site;
  const putBack = async (place: JobPlace): Promise<PutBack<Unfit>["end"]> => {
    if (!from.has(place.state)) return unfit;
    if (place.kind === "numbers") {
      if (dryRun) return "queued";
      const changed = await changeNumbers(site, place, KINDS, "waiting");
      return changed.length > 0 ? "queued" : "gone";
    }
    const { file, path } = place;
    if (await store.has(layout.queued(file))) return "name-taken";
    if (dryRun) return "queued";
    return (await renameIfThere(store, path, layout.queued(file))) ? "queued" : "gone";
  };
  const results: PutBack<Unfit>[] = [];
  for (const place of places) {
    const { job, state, kind } = place;
    const count = kind === "numbers" && { count: sizeOfPlace(place) };
    results.push({ job, state, end: await putBack(place), ...count });
  }
  return results;
}
