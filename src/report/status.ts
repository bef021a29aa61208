import type { JobProgress } from "../job/job-progress.js";
import { isIgnored, jobName } from "../job/name.js";
import type { Layout } from "../project/layout.js";
import { isLock } from "../project/layout.js";
import {
  type Announcement,
  listAnnounced,
  livenessOfWorker,
  readAnnouncement,
} from "../spool/announcement.js";
import { countParts } from "../spool/array-parts.js";
import { type Dispatching, isSeatHeld, readDispatching } from "../spool/seat.js";
import { isErrno, type Store } from "../spool/store.js";
import { isAmong, type Numbers, readArrays } from "./arrays.js";
import { type Failure, readFailures } from "./failures.js";
import { readProgress } from "./job-progress.js";
import { lastEnds } from "./last-ends.js";

/** A worker as it announces itself, and what its job tells of its progress. */
export interface WorkerStatus extends Omit<Announcement, "state"> {
  /** `dead`: its process is known to be gone, and no dispatcher has cleared up after it. */
  readonly state: Announcement["state"] | "dead";
  readonly progress?: JobProgress;
}

/** A project at a glance: counts are of job files in the directories, now; of a name that was used again the last counts. */
export interface Status {
  readonly project: string;
  /** In `jobqueue/`, or on desks and not claimed, or numbers of arrays that are no jobs yet. */
  readonly waiting: number;
  /** They have failed, and wait for their next attempt. */
  readonly retrying: number;
  /** In `jobheld/`, or held numbers of arrays. */
  readonly held: number;
  readonly running: number;
  readonly done: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly workers: readonly WorkerStatus[];
  readonly dispatcher: Dispatching | undefined;
  /** The last few of those that failed, the newest first. */
  readonly failures: readonly Failure[];
}

/** Of a project that nobody has made yet. */
export function emptyStatus(project: string): Status {
  const none = { waiting: 0, retrying: 0, held: 0, running: 0, done: 0, failed: 0, cancelled: 0 };
  return { project, ...none, workers: [], dispatcher: undefined, failures: [] };
}

export async function readStatus(store: Store, layout: Layout, beat: number): Promise<Status> {
  const [queued = [], retrying = [], jobsHeld = [], done = [], failed = [], cancelled = []] =
    await Promise.all(
      [
        layout.jobqueue,
        layout.retryDesk,
        layout.jobheld,
        layout.end("jobdone"),
        layout.end("jobfailed"),
        layout.end("jobcancelled"),
      ].map((dir) => listJobs(store, dir)),
    );
  const arrays = { waiting: 0, held: 0, cancelled: 0 };
  const numbers: Numbers[] = [];
  for (const view of await readArrays(store, layout)) {
    numbers.push({ array: view.name, ranges: view.parts.map(({ range }) => range) });
    for (const kind of ["waiting", "held", "cancelled"] as const) arrays[kind] += countParts(view, kind);
    for (const { files } of view.outgoing) arrays.waiting += files.length;
  }
  const onDesks: string[] = [];
  let running = 0;
  for (const desk of await store.list(layout.jobpod)) {
    if (layout.deskKind(desk) === undefined) continue;
    const names = await listNames(store, layout.desk(desk));
    onDesks.push(...names.filter((name) => !isIgnored(name)));
    running += names.filter((name) => isLock(name) && names.includes(name.slice(0, -".lock".length))).length;
  }
  const open = [queued, retrying, jobsHeld, onDesks];
  const isNumber = isAmong(numbers.filter(({ ranges }) => ranges.length > 0));
  const [jobdone, jobfailed, jobcancelled] = [done, failed, cancelled].map((files) =>
    numbers.length > 0 ? files.filter((file) => !isNumber(jobName(file))) : files,
  ) as [string[], string[], string[]];
  const ends = await lastEnds(store, layout, open, { jobdone, jobfailed, jobcancelled });
  const held = await isSeatHeld(store, layout, beat);
  return {
    project: layout.root,
    waiting: arrays.waiting + queued.length + onDesks.length - running,
    retrying: retrying.length,
    held: arrays.held + jobsHeld.length,
    running,
    done: ends.jobdone.length,
    failed: ends.jobfailed.length,
    cancelled: arrays.cancelled + ends.jobcancelled.length,
    workers: await readWorkers(store, layout),
    dispatcher: held ? await readDispatching(store, layout) : undefined,
    failures: await readFailures(store, layout, ends.jobfailed),
  };
}

/** Who is announced, by id. */
export async function readWorkers(store: Store, layout: Layout): Promise<WorkerStatus[]> {
  const workers: WorkerStatus[] = [];
  for (const worker of (await listAnnounced(store, layout)).sort()) {
    const announcement = await readAnnouncement(store, layout, worker);
    if (announcement === undefined) continue;
    const progress = announcement.job && (await readProgress(store, layout, announcement.job));
    const isDead = (await livenessOfWorker(store, layout, announcement)) === "dead";
    workers.push({ ...announcement, ...(isDead && { state: "dead" }), ...(progress && { progress }) });
  }
  return workers;
}

async function listJobs(store: Store, dir: string): Promise<string[]> {
  return (await listNames(store, dir)).filter((name) => !isIgnored(name));
}

async function listNames(store: Store, dir: string): Promise<string[]> {
  try {
    return await store.list(dir);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}
