import type { JobProgress } from "../job/job-progress.js";
import { isIgnored, jobName } from "../job/name.js";
import { isAmong, readArrays } from "../jobs/numbers.js";
import {
  directoryOfState,
  type EndState,
  NUMBER_STATES,
  type Numbers,
  ROOM_STATES,
  type RoomState,
} from "../jobs/places.js";
import { deskKind } from "../project/entry-names.js";
import { isLock } from "../project/layout.js";
import {
  type Announcement,
  listAnnounced,
  livenessOfWorker,
  readAnnouncement,
} from "../spool/announcement.js";
import { countParts } from "../spool/array-parts.js";
import { type DispatcherFile, isDispatching, readDispatcherFile } from "../spool/dispatcher-lock.js";
import { ifThere } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import type { Store } from "../store/store.js";
import { type Failure, readFailures } from "./failures.js";
import { readProgress } from "./job-progress.js";
import { lastEnds } from "./last-ends.js";

/** The announcement of a worker, and the progress that its job reports. */
export interface WorkerStatus extends Omit<Announcement, "state"> {
  /** `dead`: the process is known to be gone, and no dispatcher has reclaimed its jobs yet. */
  readonly state: Announcement["state"] | "dead";
  readonly progress?: JobProgress;
}

/**
 * A project at a glance. The numbers are those of the job files in the directories at this moment. If a name was used again, only
 * the last file of the name counts.
 */
export interface Status {
  readonly project: string;
  /** Jobs in `jobqueue/`, jobs on desks that are not claimed, and waiting numbers of arrays that have no job files yet. */
  readonly waiting: number;
  /** Jobs on the retry desk, which wait for their next attempt. */
  readonly retrying: number;
  /** Jobs in `jobheld/`, and held numbers of arrays. */
  readonly held: number;
  readonly running: number;
  readonly done: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly workers: readonly WorkerStatus[];
  readonly dispatcher: DispatcherFile | undefined;
  /** The last few failures, the newest first. */
  readonly failures: readonly Failure[];
}

/** Status of a project that does not exist yet. */
export function emptyStatus(project: string): Status {
  const none = { waiting: 0, retrying: 0, held: 0, running: 0, done: 0, failed: 0, cancelled: 0 };
  return { project, ...none, workers: [], dispatcher: undefined, failures: [] };
}

export async function readStatus(site: Site, beat: number): Promise<Status> {
  const { store, layout } = site;
  const files = Object.fromEntries(
    await Promise.all(
      ROOM_STATES.map(async (state) => [state, await listJobs(store, directoryOfState(layout, state))]),
    ),
  ) as Record<RoomState, string[]>;
  const arrays = { waiting: 0, held: 0, cancelled: 0 };
  const numbers: Numbers[] = [];
  for (const view of await readArrays(site)) {
    numbers.push({ array: view.name, ranges: view.parts.map(({ range }) => range) });
    for (const kind of NUMBER_STATES) arrays[kind] += countParts(view, kind);
    for (const { files } of view.outgoing) arrays.waiting += files.length;
  }
  const onDesks: string[] = [];
  let running = 0;
  for (const desk of await store.list(layout.jobpod)) {
    if (deskKind(desk) === undefined) continue;
    const names = await listNames(store, layout.desk(desk));
    onDesks.push(...names.filter((name) => !isIgnored(name)));
    running += names.filter((name) => isLock(name) && names.includes(name.slice(0, -".lock".length))).length;
  }
  const isNumber = isAmong(numbers.filter(({ ranges }) => ranges.length > 0));
  const endedIn = (state: EndState) =>
    numbers.length > 0 ? files[state].filter((file) => !isNumber(jobName(file))) : files[state];
  const ends = await lastEnds(site, [files.waiting, files.retrying, files.held, onDesks], {
    done: endedIn("done"),
    failed: endedIn("failed"),
    cancelled: endedIn("cancelled"),
  });
  const held = await isDispatching(site, beat);
  return {
    project: layout.root,
    waiting: arrays.waiting + files.waiting.length + onDesks.length - running,
    retrying: files.retrying.length,
    held: arrays.held + files.held.length,
    running,
    done: ends.done.length,
    failed: ends.failed.length,
    cancelled: arrays.cancelled + ends.cancelled.length,
    workers: await readWorkers(site),
    dispatcher: held ? await readDispatcherFile(site) : undefined,
    failures: await readFailures(site, ends.failed),
  };
}

/** The announced workers, in the order of their ids. */
export async function readWorkers(site: Site): Promise<WorkerStatus[]> {
  const workers: WorkerStatus[] = [];
  for (const worker of (await listAnnounced(site)).sort()) {
    const announcement = await readAnnouncement(site, worker);
    if (announcement === undefined) continue;
    const progress = announcement.job && (await readProgress(site, announcement.job));
    const isDead = (await livenessOfWorker(site, announcement)) === "dead";
    workers.push({ ...announcement, ...(isDead && { state: "dead" }), ...(progress && { progress }) });
  }
  return workers;
}

/**
 * Whether any worker is on duty, as far as this host can tell. The search ends with the first worker that it finds, so the call
 * is cheap in a large project.
 *
 * @param except a worker that does not count
 */
export async function isAnyOnDuty(site: Site, except?: string): Promise<boolean> {
  for (const worker of await listAnnounced(site)) {
    const announcement = worker === except ? undefined : await readAnnouncement(site, worker);
    if (announcement === undefined) continue;
    if ((await livenessOfWorker(site, announcement)) !== "dead") return true;
  }
  return false;
}

async function listJobs(store: Store, dir: string): Promise<string[]> {
  return (await listNames(store, dir)).filter((name) => !isIgnored(name));
}

async function listNames(store: Store, dir: string): Promise<string[]> {
  return ifThere(store.list(dir), []);
}
