import { ifThere, renameIfThere } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import { isErrno, type Soon } from "../store/store.js";
import type { Actor } from "./actor.js";

/** Result of an assignment. `gone`: the job is no longer in the queue. `no-desk`: the worker has left or was fenced. */
export type Assignment = "assigned" | "gone" | "no-desk";

/** S2: moves a job from the queue to a desk by one rename. If several dispatchers try, one of them wins. */
export function assign(site: Site, file: string, worker: string): Soon<Assignment> {
  const { store, layout } = site;
  const desk = layout.onDesk(worker, file);
  const renamed = store.rename(layout.queued(file), desk);
  if (!(renamed instanceof Promise)) return "assigned";
  return renamed.then(
    () => "assigned",
    async (error) => {
      if (!isErrno(error, "ENOENT", "ENOTDIR")) throw error;
      if (await store.has(desk)) return "assigned"; // NFS did the rename and lost the reply
      return (await store.has(layout.desk(worker))) ? "gone" : "no-desk";
    },
  );
}

/**
 * S2: writes the order in which the worker should take the jobs on its desk. The file is only a hint. The dispatcher writes this
 * file before it moves the jobs, so a worker that lists its desk at once reads the new order.
 */
export async function writeOrder(site: Site, worker: string, files: readonly string[]): Promise<void> {
  const { store, layout } = site;
  const path = layout.order(worker);
  try {
    await store.write(path, files.join("\n"));
  } catch (error) {
    if (!isErrno(error, "ENOENT", "ENOSPC", "EDQUOT")) throw error;
  }
}

/**
 * S4: moves a job that its worker has not claimed to another desk. The call takes the lock of the job, but does not wait for the
 * lock.
 *
 * @returns whether the job moved; false if it is claimed or gone, or if one of the desks is gone
 */
export async function moveToDesk(
  actor: Pick<Actor, "store" | "layout" | "locksmith">,
  file: string,
  from: string,
  to: string,
): Promise<boolean> {
  const { store, layout, locksmith } = actor;
  const source = layout.onDesk(from, file);
  const lock = await ifThere(locksmith.lock(source, () => undefined));
  if (lock === undefined) return false;
  try {
    return await renameIfThere(store, source, layout.onDesk(to, file));
  } finally {
    await lock.release();
  }
}
