import type { Layout } from "../project/layout.js";
import type { JobPlace, JobState } from "../report/jobs.js";
import { isErrno, type Store } from "../spool/store.js";

/** What became of a job that was to go back. */
interface PutBack<Unfit extends string> {
  readonly job: string;
  readonly state: JobState;
  readonly end: "queued" | Unfit | "name-taken" | "gone";
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
  const putBack = async ({ file, state, path }: JobPlace): Promise<PutBack<Unfit>["end"]> => {
    if (!from.has(state)) return unfit;
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
  for (const place of places) told.push({ job: place.job, state: place.state, end: await putBack(place) });
  return told;
}
