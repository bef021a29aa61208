import type { Layout } from "../project/layout.js";
import type { Lock, Locksmith } from "./lock.js";
import { isErrno, type Store } from "./store.js";

/** `gone`: somebody withdrew the job. `no-desk`: the worker left or was fenced off; the job stays where it was. */
export type Assignment = "assigned" | "gone" | "no-desk";

/** S2: one rename from the queue onto a desk. One winner. */
export async function assign(
  store: Store,
  layout: Layout,
  file: string,
  worker: string,
): Promise<Assignment> {
  const desk = layout.onDesk(worker, file);
  try {
    await store.rename(layout.queued(file), desk);
    return "assigned";
  } catch (error) {
    if (!isErrno(error, "ENOENT", "ENOTDIR")) throw error;
    if (await store.has(desk)) return "assigned"; // NFS: done, but the reply was lost
    return (await store.has(layout.desk(worker))) ? "gone" : "no-desk";
  }
}

/**
 * S2's hint: in which order the desk's jobs are to be taken. Losing it costs the order, nothing else. It is
 * written before the jobs arrive, so that a worker that looks at once reads the new one.
 */
export async function writeOrder(
  store: Store,
  layout: Layout,
  worker: string,
  files: readonly string[],
): Promise<void> {
  const path = layout.order(worker);
  try {
    await store.write(path, files.join("\n"));
  } catch (error) {
    if (!isErrno(error, "ENOENT", "ENOSPC", "EDQUOT")) throw error;
  }
}

/**
 * S4: moves a job that its worker has not claimed yet to another desk: with the job's lock, and without waiting
 * for it.
 *
 * @returns whether it moved; false: it is claimed, gone, or the other desk is
 */
export async function moveToDesk(
  store: Store,
  layout: Layout,
  locksmith: Locksmith,
  file: string,
  from: string,
  to: string,
): Promise<boolean> {
  const source = layout.onDesk(from, file);
  let lock: Lock | undefined;
  try {
    lock = await locksmith.lock(source, () => undefined);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
  if (lock === undefined) return false;
  try {
    await store.rename(source, layout.onDesk(to, file));
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  } finally {
    await lock.release();
  }
}
