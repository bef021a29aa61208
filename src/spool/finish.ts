import type { Layout } from "../project/layout.js";
import type { Destination } from "./ledger.js";
import { type FileMark, isSameFile, isStampOf, markOf, stampOf } from "./stamp.js";
import { type FileFacts, isErrno, type Store } from "./store.js";

/** A claimed job: what a worker needs to finish it. */
export interface Claimed extends FileMark {
  readonly worker: string;
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
}

/**
 * Before S6: sees to it that the job's file lies on the desk, so that whoever reads `ended` in the ledger finds what it is
 * said of. A file that is simply gone, while the desk stands and nobody else has it, was deleted by the job itself (or
 * by hand): its outcome still counts, so it is written again.
 *
 * @returns the file's stamp; undefined: the job was taken away, or the desk was
 */
export async function assureFile(store: Store, layout: Layout, job: Claimed): Promise<string | undefined> {
  const source = layout.onDesk(job.worker, job.file);
  const there = await factsOrNone(store, source);
  if (there !== undefined && isSameFile(there, job)) return stampOf(there);
  if (await isElsewhere(store, layout, job)) return undefined;
  if (there !== undefined) return stampOf(there); // the job has replaced its own file
  const temporary = layout.onDesk(job.worker, `.${job.file}.tmp`);
  try {
    await store.create(temporary, job.bytes, false, job.mode & 0o777);
    await store.rename(temporary, source);
    return stampOf(await store.facts(source));
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/**
 * S6: the rename is the only commit. `taken`: the job was taken back meanwhile, and nothing was published. `fenced`:
 * the whole desk was, and who did it decides by the ledger: it publishes what it finds ended there, or declares it lost.
 *
 * @param stamp of the file, from `assureFile`
 */
export async function finish(
  store: Store,
  layout: Layout,
  job: Claimed,
  to: Destination,
  stamp: string,
): Promise<"published" | "taken" | "fenced"> {
  const source = layout.onDesk(job.worker, job.file);
  if (to === "jobqueue") {
    if ((await putBack(store, layout, source, job.file)) !== "gone") return "published";
  } else {
    const destination = await placeOf(store, layout, to, job.file, source, stamp);
    try {
      await store.rename(source, destination);
      return "published";
    } catch (error) {
      if (!isErrno(error, "ENOENT", "ENOTDIR")) throw error;
    }
    // NFS: done, but the reply was lost.
    const there = await factsOrNone(store, destination);
    if (there !== undefined && isStampOf(stamp, there)) return "published";
  }
  return (await store.has(layout.desk(job.worker))) ? "taken" : "fenced";
}

/**
 * S6: where a job that has ended goes.
 *
 * @param source where its file lies
 * @param stamp of that file
 */
export async function placeOf(
  store: Store,
  layout: Layout,
  to: Exclude<Destination, "jobqueue">,
  file: string,
  source: string,
  stamp: string,
): Promise<string> {
  return to === "retry" ? placeToRetry(store, layout, file, source, stamp) : layout.ended(to, file);
}

/**
 * S6, S9: where on the retry desk a job goes. Another of the name may wait there until the name is free in the queue, and goes
 * back if it is by now: a rename would overwrite it. If it is not, since a third one waits in the queue, the job goes behind it.
 *
 * @param source of the file that is about to be moved there: if it is gone, it may be that one which lies there already
 */
async function placeToRetry(
  store: Store,
  layout: Layout,
  file: string,
  source: string,
  stamp: string,
): Promise<string> {
  const place = layout.toRetry(file);
  const isTaken = await isTakenFrom(store, place, source);
  if (isTaken && (await putBack(store, layout, place, file)) === "retry") {
    return layout.behindOnRetryDesk(file, markOf(stamp));
  }
  return place;
}

/** Whether what lies at `place` is another file than that at `source`, whatever tells files apart: both are there. */
async function isTakenFrom(store: Store, place: string, source: string): Promise<boolean> {
  return source !== place && (await store.has(place)) && (await store.has(source));
}

/** The stamp of the file of this path; undefined when there is none. */
export async function stampAt(store: Store, file: string): Promise<string | undefined> {
  const there = await factsOrNone(store, file);
  return there && stampOf(there);
}

/** ESTALE is no answer here: a job that only seems to be nowhere would be written, and run, a second time. */
async function factsOrNone(store: Store, file: string): Promise<FileFacts | undefined> {
  try {
    return await store.facts(file);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/** Whether the job's own file is in some other place than its desk: then it was taken away, not deleted. */
export async function isElsewhere(
  store: Store,
  layout: Layout,
  job: Pick<Claimed, "file" | "worker"> & FileMark,
): Promise<boolean> {
  const places = [
    layout.queued(job.file),
    layout.toRetry(job.file),
    layout.ended("jobdone", job.file),
    layout.ended("jobfailed", job.file),
    layout.ended("jobcancelled", job.file),
    layout.held(job.file),
    ...(await store.list(layout.jobpod))
      .filter((desk) => desk !== job.worker)
      .map((desk) => layout.onDesk(desk, job.file)),
  ];
  for (const place of places) {
    const there = await factsOrNone(store, place);
    if (there !== undefined && isSameFile(there, job)) return true;
  }
  return false;
}

/**
 * S4, S9: a job goes back to the queue. If another job of that name was dropped there meanwhile, it waits on the
 * retry desk until the name is free, behind a third one if need be: a rename would overwrite the other one.
 */
export async function putBack(
  store: Store,
  layout: Layout,
  source: string,
  file: string,
): Promise<"jobqueue" | "retry" | "gone"> {
  const taken = await store.has(layout.queued(file));
  try {
    await store.rename(source, taken ? await placeToWait(store, layout, source, file) : layout.queued(file));
    return taken ? "retry" : "jobqueue";
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return "gone";
    throw error;
  }
}

async function placeToWait(store: Store, layout: Layout, source: string, file: string): Promise<string> {
  const place = layout.toRetry(file);
  if (!(await isTakenFrom(store, place, source))) return place;
  return layout.behindOnRetryDesk(file, await store.facts(source));
}
