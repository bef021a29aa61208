import path from "node:path";
import type { Layout } from "../project/layout.js";
import type { Destination } from "./ledger.js";
import { isErrno, type Store } from "./store.js";
import { exists } from "./submit.js";

/** A claimed job: what a worker needs to finish it. */
export interface Claimed {
  readonly worker: string;
  readonly file: string;
  /** The job file's inode: a rename keeps it, so it tells one's own file from another of the same name. */
  readonly ino: number;
  readonly bytes: Uint8Array;
  readonly mode: number;
}

function destinationPath(layout: Layout, to: Destination, file: string): string {
  if (to === "jobqueue") return layout.queued(file);
  return to === "retry" ? layout.toRetry(file) : layout.ended(to, file);
}

/**
 * S6: the rename is the only commit. `discarded`: the attempt was declared lost or taken back meanwhile, and
 * nothing was published.
 *
 * A job file that is simply gone, while the desk stands and nobody else has it, was deleted by the job itself (or
 * by hand): its outcome still counts, so the file is written again where it belongs.
 */
export async function finish(
  store: Store,
  layout: Layout,
  job: Claimed,
  to: Destination,
): Promise<"published" | "discarded"> {
  const source = layout.onDesk(job.worker, job.file);
  if (to === "jobqueue") {
    return (await putBack(store, layout, source, job.file)) === "gone" ? "discarded" : "published";
  }
  const destination = destinationPath(layout, to, job.file);
  try {
    await store.rename(source, destination);
    return "published";
  } catch (error) {
    if (!isErrno(error, "ENOENT", "ENOTDIR")) throw error;
  }
  if (!(await exists(store, layout.desk(job.worker)))) return "discarded";
  const there = await inode(store, destination);
  if (there === job.ino) return "published"; // NFS: done, but the reply was lost
  if (await isElsewhere(store, layout, job)) return "discarded";
  const temporary = path.join(layout.desk(job.worker), `.${job.file}.tmp`);
  await store.create(temporary, job.bytes, false, job.mode & 0o777);
  await store.rename(temporary, destination);
  return "published";
}

async function inode(store: Store, file: string): Promise<number | undefined> {
  try {
    return (await store.facts(file)).ino;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/** Whether the job's own file is in some other place than its desk: then it was taken away, not deleted. */
export async function isElsewhere(
  store: Store,
  layout: Layout,
  job: Pick<Claimed, "file" | "ino" | "worker">,
): Promise<boolean> {
  const places = [
    layout.queued(job.file),
    layout.toRetry(job.file),
    layout.ended("jobdone", job.file),
    layout.ended("jobfailed", job.file),
    layout.ended("jobcancelled", job.file),
    ...(await store.list(layout.jobpod))
      .filter((desk) => desk !== job.worker)
      .map((desk) => layout.onDesk(desk, job.file)),
  ];
  for (const place of places) if ((await inode(store, place)) === job.ino) return true;
  return false;
}

/**
 * S4, S9: a job goes back to the queue. If another job of that name was dropped there meanwhile, it waits on the
 * retry desk until the name is free: a rename would overwrite the other one.
 */
export async function putBack(
  store: Store,
  layout: Layout,
  source: string,
  file: string,
): Promise<"jobqueue" | "retry" | "gone"> {
  const taken = await exists(store, layout.queued(file));
  try {
    await store.rename(source, taken ? layout.toRetry(file) : layout.queued(file));
    return taken ? "retry" : "jobqueue";
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return "gone";
    throw error;
  }
}
