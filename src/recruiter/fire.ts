import { FjordError } from "../job/error.js";
import {
  type Announcement,
  listAnnounced,
  livenessOfWorker,
  readAnnouncement,
} from "../spool/announcement.js";
import { type Reclaimer, reclaimWorker } from "../spool/reclaim.js";
import type { Site } from "../store/site.js";
import { isErrno } from "../store/store.js";

/**
 * Result for a fired worker. `gone`: the worker has left. `finishing`: the worker finishes its job and then leaves. `silent`:
 * the worker has not reacted to the note on its desk. `was-dead`: the worker's process was dead, and its jobs are back in the
 * queue.
 */
export interface Fired {
  readonly worker: string;
  readonly host: string;
  readonly end: "gone" | "finishing" | "silent" | "was-dead";
  /** Job that the worker finishes. */
  readonly job?: string;
}

export interface FireRequest {
  /** Ids of the workers. Empty means all workers of the project. */
  readonly workers: readonly string[];
  /** Whether to stop the jobs of the workers, too, and to put these jobs back into the queue. */
  readonly now: boolean;
  /** Seconds to wait for the workers to leave. Workers that finish a job do not count, except with `untilGone` or `now`. */
  readonly patience: number;
  /** Whether to wait without limit until all workers have left. */
  readonly untilGone: boolean;
  /**
   * Worker that runs the job from which the request comes. The request does not wait for this worker, because the job would
   * wait for its own end.
   */
  readonly own?: string | undefined;
}

/** Pause between two checks for workers that have left, in ms. */
const PAUSE = 20;

/**
 * Fires workers on any host by leaving a note on each desk. If the process of a worker is dead, the jobs on its desk are put
 * back into the queue at once (S8). Only this host can tell that a process of its own is dead.
 *
 * @throws FjordError `no-such-worker`
 */
export async function fire(reclaimer: Reclaimer, request: FireRequest): Promise<Fired[]> {
  const { store, layout } = reclaimer;
  const announced = await listAnnounced(reclaimer);
  const unknown = request.workers.filter((worker) => !announced.includes(worker));
  if (unknown.length > 0) throw noSuchWorker(unknown, layout.root);
  const fired: Fired[] = [];
  const noted = new Map<string, boolean>();
  for (const worker of request.workers.length > 0 ? request.workers : announced) {
    const announcement = await readAnnouncement(reclaimer, worker);
    // Without a desk, the worker has left, or the file is not an announcement.
    if (announcement === undefined && !(await store.has(layout.desk(worker)))) continue;
    if (announcement !== undefined && (await livenessOfWorker(reclaimer, announcement)) === "dead") {
      fired.push(await reclaim(reclaimer, announcement));
    } else {
      noted.set(worker, await leaveNote(reclaimer, worker, request.now));
    }
  }
  return fired.concat(await waitForWorkers(reclaimer, noted, request));
}

export function noSuchWorker(workers: readonly string[], directory: string): FjordError {
  return new FjordError(
    "no-such-worker",
    `No worker ${workers.join(", ")} in ${directory}.`,
    "recruiter list shows the workers on duty.",
  );
}

async function reclaim(reclaimer: Reclaimer, announcement: Announcement): Promise<Fired> {
  const { worker, host } = announcement;
  await reclaimWorker(reclaimer, worker, announcement, "fired; its process was dead");
  return { worker, host, end: "was-dead" };
}

/** @returns false when the desk does not exist: the worker has left, is dead, or has only just announced itself */
async function leaveNote(site: Site, worker: string, now: boolean): Promise<boolean> {
  const { store, layout } = site;
  try {
    await store.create(layout.note(worker, now ? "fire-now" : "fire"), "", false);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return false;
    if (!isErrno(error, "EEXIST")) throw error;
    return true;
  }
}

/**
 * Waits until the workers have left. If a worker is killed meanwhile, its jobs are put back into the queue.
 *
 * @param noted the workers, and whether the desk of each holds a note. A missing note is written again
 */
async function waitForWorkers(
  reclaimer: Reclaimer,
  noted: Map<string, boolean>,
  request: FireRequest,
): Promise<Fired[]> {
  const { store, layout } = reclaimer;
  const deadline = store.clock.now() + request.patience * 1000;
  const ends = new Map<string, Fired>();
  const hosts = new Map<string, string>();
  for (;;) {
    for (const [worker, isNoted] of noted) {
      if (ends.get(worker)?.end === "was-dead") continue;
      const announcement = await readAnnouncement(reclaimer, worker);
      if (announcement !== undefined) hosts.set(worker, announcement.host);
      if (announcement !== undefined && (await livenessOfWorker(reclaimer, announcement)) === "dead") {
        ends.set(worker, await reclaim(reclaimer, announcement));
      } else {
        // An announcement may be unreadable while its worker overwrites it. Such a worker has not left.
        const isOnDuty = announcement !== undefined || (await store.has(layout.announcement(worker)));
        const host = hosts.get(worker) ?? "";
        if (isOnDuty && !isNoted) noted.set(worker, await leaveNote(reclaimer, worker, request.now));
        ends.set(worker, isOnDuty ? endOf(worker, announcement, host) : { worker, host, end: "gone" });
      }
    }
    const waitForJobs = request.untilGone || request.now;
    const waiting = [...ends.values()].some(
      ({ worker, end }) => end === "silent" || (waitForJobs && end === "finishing" && worker !== request.own),
    );
    if (!waiting || (!request.untilGone && store.clock.now() > deadline)) return [...ends.values()];
    await store.clock.sleep(PAUSE);
  }
}

function endOf(worker: string, announcement: Announcement | undefined, host: string): Fired {
  if (announcement?.state === "leaving" && announcement.job !== undefined) {
    return { worker, host, end: "finishing", job: announcement.job.name };
  }
  return { worker, host, end: "silent" };
}
