import type { Layout } from "../project/layout.js";
import { sizeOfPlace } from "../report/arrays.js";
import type { JobPlace, JobState } from "../report/jobs.js";
import { isErrno, type Store } from "../spool/store.js";
import { changeNumbers } from "./change-numbers.js";

const KINDS = ["held", "cancelled"] as const;

/** What became of a job that was to go back. */
interface PutBack<Unfit extends string> {
  readonly job: string;
  readonly state: JobState;
  readonly end: "queued" | Unfit | "name-taken" | "gone";
  /** How many jobs it stands for; 1 if not said. */
  readonly count?: number;
}

/** Which jobs go back to the queue. */
interface Terms<Unfit extends string> {
  readonly from: ReadonlySet<JobState>;
  /** What is told of a job that is in another state, and left. */
  readonly unfit: Unfit;
  /** Tell only. */
  readonly dryRun: boolean;
}

/**
 * Puts jobs back into the queue, each with one rename, with the age that they had. `name-taken`: another of its name
 * waits there, and would be lost. `gone`: it is not where it was any more.
 */
export async function backToQueue<Unfit extends string>(
  store: Store,
  layout: Layout,
  places: readonly JobPlace[],
  { from, unfit, dryRun }: Terms<Unfit>,
): Promise<PutBack<Unfit>[]> {
  const putBack = async (place: JobPlace): Promise<PutBack<Unfit>["end"]> => {
    const { file, state, path, numbers } = place;
    if (!from.has(state)) return unfit;
    if (numbers !== undefined) {
      if (dryRun) return "queued";
      const changed = await changeNumbers(store, layout, { ...place, numbers }, KINDS, "waiting");
      return changed.length > 0 ? "queued" : "gone";
    }
    if (await store.has(layout.queued(file))) return "name-taken";
    if (dryRun) return "queued";
    try {
      await store.rename(path, layout.queued(file));
      return "queued";
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error;
      return "gone";
    }
  };
  const told: PutBack<Unfit>[] = [];
  for (const place of places) {
    const { job, state, numbers } = place;
    told.push({ job, state, end: await putBack(place), ...(numbers && { count: sizeOfPlace(place) }) });
  }
  return told;
}
