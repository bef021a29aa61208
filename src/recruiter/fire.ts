import { FjordError } from "../job/error.js";
import type { Layout } from "../project/layout.js";
import {
  type Announcement,
  listAnnounced,
  livenessOfWorker,
  readAnnouncement,
} from "../spool/announcement.js";
import { type Reclaimer, reclaimWorker } from "../spool/reclaim.js";
import { isErrno, type Store } from "../spool/store.js";

/**
 * What became of a worker that was fired. `gone`: it left. `finishing`: it ends its job, then goes. `silent`: the note
 * lies on its desk, and it has not reacted. `was-dead`: its process was gone; what it held is back in the queue.
 */
export interface Fired {
  readonly worker: string;
  readonly host: string;
  readonly end: "gone" | "finishing" | "silent" | "was-dead";
  /** The job that it finishes. */
  readonly job?: string;
}

export interface FireRequest {
  /** Worker ids; all of the project when empty. */
  readonly workers: readonly string[];
  /** Stop their jobs too; they go back to the queue. */
  readonly now: boolean;
  /** Seconds to wait for them to go; those that finish a job are only waited for with `untilGone` or `now`. */
  readonly patience: number;
  readonly untilGone: boolean;
}

/** Between two looks at whether they have gone, ms. */
const LOOKS_APART = 20;

/**
 * Fires exactly the workers named, on whatever host: a note on the desk tells them. Those of this host whose
 * process is dead are reclaimed right here (S8).
 *
 * @throws FjordError `no-such-worker`
 */
export async function fire(reclaimer: Reclaimer, request: FireRequest): Promise<Fired[]> {
  const { store, layout } = reclaimer;
  const announced = await listAnnounced(store, layout);
  const unknown = request.workers.filter((worker) => !announced.includes(worker));
  if (unknown.length > 0) throw noSuchWorker(unknown, layout.root);
  const fired: Fired[] = [];
  const noted = new Map<string, boolean>();
  for (const worker of request.workers.length > 0 ? request.workers : announced) {
    const announcement = await readAnnouncement(store, layout, worker);
    if (announcement === undefined && !(await store.has(layout.desk(worker)))) continue; // gone, or a foreign file
    if (announcement !== undefined && (await livenessOfWorker(store, layout, announcement)) === "dead") {
      fired.push(await reclaim(reclaimer, announcement));
    } else {
      noted.set(worker, await leaveNote(store, layout, worker, request.now));
    }
  }
  return fired.concat(await waitForThem(reclaimer, noted, request));
}

export function noSuchWorker(workers: readonly string[], directory: string): FjordError {
  return new FjordError(
    "no-such-worker",
    `No worker ${workers.join(", ")} in ${directory}.`,
    "recruiter list shows who is on duty.",
  );
}

async function reclaim(reclaimer: Reclaimer, announcement: Announcement): Promise<Fired> {
  const { worker, host } = announcement;
  await reclaimWorker(reclaimer, worker, announcement, "fired; its process was dead");
  return { worker, host, end: "was-dead" };
}

/** @returns false: there is no desk, since its worker is gone, or will be found so, or has only just announced itself */
async function leaveNote(store: Store, layout: Layout, worker: string, now: boolean): Promise<boolean> {
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
 * One that is killed before it has gone is taken back from, too.
 *
 * @param noted the workers, and whether a note lies on the desk of each: else it is tried again
 */
async function waitForThem(
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
      const announcement = await readAnnouncement(store, layout, worker);
      if (announcement !== undefined) hosts.set(worker, announcement.host);
      if (announcement !== undefined && (await livenessOfWorker(store, layout, announcement)) === "dead") {
        ends.set(worker, await reclaim(reclaimer, announcement));
      } else {
        // One that cannot be read now is being written over: its worker is not gone.
        const isThere = announcement !== undefined || (await store.has(layout.announcement(worker)));
        const host = hosts.get(worker) ?? "";
        if (isThere && !isNoted) noted.set(worker, await leaveNote(store, layout, worker, request.now));
        ends.set(worker, isThere ? endOf(worker, announcement, host) : { worker, host, end: "gone" });
      }
    }
    const states = [...ends.values()].map((fired) => fired.end);
    const waitForJobs = request.untilGone || request.now;
    const waiting = states.some((end) => end === "silent" || (waitForJobs && end === "finishing"));
    if (!waiting || (!request.untilGone && store.clock.now() > deadline)) return [...ends.values()];
    await store.clock.sleep(LOOKS_APART);
  }
}

function endOf(worker: string, announcement: Announcement | undefined, host: string): Fired {
  if (announcement?.state === "leaving" && announcement.job !== undefined) {
    return { worker, host, end: "finishing", job: announcement.job.name };
  }
  return { worker, host, end: "silent" };
}
