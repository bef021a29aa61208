import type { Destination } from "../ledger/line.js";
import { ifThere } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import { type FileMark, isSameFile, isStampOf, markOf, stampOf } from "../store/stamp.js";
import { type FileFacts, isErrno, type Soon, type Store } from "../store/store.js";

/** Claimed job, with the data that a worker needs to finish it. */
export interface Claimed extends FileMark {
  readonly worker: string;
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
}

/**
 * Makes sure before S6 that the job's file is on the desk, because the event `ended` in the ledger names this file. If the file
 * is in no directory but the desk still exists, the job itself or a person deleted the file. The outcome still counts, so the
 * file is written again.
 *
 * @returns the stamp of the file; undefined if the job or the whole desk was taken away
 */
export async function assureFile(site: Site, job: Claimed): Promise<string | undefined> {
  const { store, layout } = site;
  const source = layout.onDesk(job.worker, job.file);
  const there = await factsOrNone(store, source);
  if (there !== undefined && isSameFile(there, job)) return stampOf(there);
  if (await isElsewhere(site, job)) return undefined;
  if (there !== undefined) return stampOf(there); // the job replaced its own file
  const temporary = layout.onDesk(job.worker, `.${job.file}.tmp`);
  const write = async () => {
    await store.create(temporary, job.bytes, false, job.mode & 0o777);
    await store.rename(temporary, source);
    return stampOf(await store.facts(source));
  };
  return ifThere(write());
}

/**
 * S6: publishes the outcome of a job. The rename is the only commit.
 *
 * @param stamp stamp of the file, from `assureFile`
 * @returns `taken` if another process took the job back, so nothing is published. `fenced` if another process fenced the whole
 * desk. That process reads the ledger, and then publishes the outcome or declares the job lost.
 */
export async function finish(
  site: Site,
  job: Claimed,
  to: Destination,
  stamp: string,
): Promise<"published" | "taken" | "fenced"> {
  const { store, layout } = site;
  const source = layout.onDesk(job.worker, job.file);
  if (to === "jobqueue") {
    if ((await putBack(site, source, job.file)) !== "gone") return "published";
  } else {
    const destination =
      to === "retry"
        ? await placeToRetry(site, { file: job.file, source, stamp })
        : layout.ended(to, job.file);
    try {
      await store.rename(source, destination);
      return "published";
    } catch (error) {
      if (!isErrno(error, "ENOENT", "ENOTDIR")) throw error;
    }
    // NFS may do the rename and lose the reply.
    const there = await factsOrNone(store, destination);
    if (there !== undefined && isStampOf(stamp, there)) return "published";
  }
  return (await store.has(layout.desk(job.worker))) ? "taken" : "fenced";
}

/** A job file that is about to be moved. */
interface Moving {
  readonly file: string;
  /** Path of the file. */
  readonly source: string;
  readonly stamp: string;
}

/** S6: the path to which the file of an ended job goes. */
export async function placeOf(
  site: Site,
  to: Exclude<Destination, "jobqueue">,
  moving: Moving,
): Promise<string> {
  return to === "retry" ? placeToRetry(site, moving) : site.layout.ended(to, moving.file);
}

/**
 * S6, S9: the path on the retry desk to which a job file goes. Another job with the same name may wait at that path until the
 * name is free in the queue, and a rename would overwrite its file. In this case the other job goes back to the queue first. If a
 * third job with the same name is in the queue, the file gets a path behind the other job on the retry desk.
 */
async function placeToRetry(site: Site, { file, source, stamp }: Moving): Promise<string> {
  const { store, layout } = site;
  const place = layout.toRetry(file);
  const isTaken = await isTakenFrom(store, place, source);
  if (isTaken && (await putBack(site, place, file)) === "retry") {
    return layout.behindOnRetryDesk(file, markOf(stamp));
  }
  return place;
}

/** Whether another file is at `place`. If both paths exist, they are two files. */
async function isTakenFrom(store: Store, place: string, source: string): Promise<boolean> {
  return source !== place && (await store.has(place)) && (await store.has(source));
}

/** Stamp of the file at a path; undefined if there is none. */
export async function stampAt(store: Store, file: string): Promise<string | undefined> {
  const there = await factsOrNone(store, file);
  return there && stampOf(there);
}

/**
 * Facts of a file; undefined if there is none. The call throws an ESTALE error. If it returned undefined instead, a job that
 * still exists could run twice.
 */
function factsOrNone(store: Store, file: string): Soon<FileFacts | undefined> {
  return ifThere(store.facts(file));
}

/** Whether the file of a job is in another directory than its desk. If so, the file was moved and not deleted. */
export async function isElsewhere(
  site: Site,
  job: Pick<Claimed, "file" | "worker"> & FileMark,
): Promise<boolean> {
  const { store, layout } = site;
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
 * S4, S9: moves a job back to the queue. If another job with the same name is in the queue by now, a rename would overwrite its
 * file. In this case the job waits on the retry desk until the name is free. If a third job with the same name is there, the job
 * waits behind it.
 */
export async function putBack(
  site: Site,
  source: string,
  file: string,
): Promise<"jobqueue" | "retry" | "gone"> {
  const { store, layout } = site;
  const taken = await store.has(layout.queued(file));
  const move = async () => {
    await store.rename(source, taken ? await placeToWait(site, source, file) : layout.queued(file));
    return taken ? "retry" : "jobqueue";
  };
  return ifThere(move(), "gone");
}

async function placeToWait(site: Site, source: string, file: string): Promise<string> {
  const { store, layout } = site;
  const place = layout.toRetry(file);
  if (!(await isTakenFrom(store, place, source))) return place;
  return layout.behindOnRetryDesk(file, await store.facts(source));
}
