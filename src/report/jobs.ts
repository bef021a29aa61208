import { isIgnored, jobName } from "../job/name.js";
import { isLock, type Layout, lockOf } from "../project/layout.js";
import { factsIfThere, namesIfThere } from "../spool/file-facts.js";
import type { Store } from "../spool/store.js";
import { isAmong, type Numbers, placesOf, readArrays } from "./arrays.js";

/**
 * Where a job is. `waiting`: in the queue, or on a desk and not begun; `retrying`: it has failed, or asked for it, and
 * waits for its next attempt; `held`: it waits to be released; the last three are ends.
 */
export type JobState = "waiting" | "held" | "running" | "retrying" | "done" | "failed" | "cancelled";

/** In the order in which a job goes through them. */
export const JOB_STATES: readonly JobState[] = [
  "waiting",
  "held",
  "running",
  "retrying",
  "done",
  "failed",
  "cancelled",
];

/** Those in which a job has ended. */
export const ENDS: ReadonlySet<JobState> = new Set(["done", "failed", "cancelled"]);

/** A job, as the directories tell of it now. */
export interface JobPlace {
  /** What people call it. */
  readonly job: string;
  /** The job file's name. */
  readonly file: string;
  readonly state: JobState;
  /** The job file, absolute. */
  readonly path: string;
  /** On whose desk it lies. */
  readonly worker?: string;
  /** It stands for numbers of an array that are no jobs yet, and `path` is the array's file. */
  readonly numbers?: Numbers;
}

/**
 * All jobs, room by room. A job that moves from one room to another meanwhile may be met twice or not at all: who decides
 * by it looks again.
 */
export async function findJobs(
  store: Store,
  layout: Layout,
  states: ReadonlySet<JobState> = new Set(JOB_STATES),
): Promise<JobPlace[]> {
  const found: JobPlace[] = [];
  const room = async (dir: string, state: JobState, pathOf: (file: string) => string) => {
    if (!states.has(state)) return;
    for (const file of await namesIfThere(store, dir)) {
      if (!isIgnored(file)) found.push({ job: jobName(file), file, state, path: pathOf(file) });
    }
  };
  for (const view of await readArrays(store, layout)) found.push(...placesOf(layout, view, states));
  // With the stream: who is moved on while this goes on is rather met twice than missed.
  await room(layout.jobqueue, "waiting", (file) => layout.queued(file));
  await room(layout.jobheld, "held", (file) => layout.held(file));
  if (states.has("waiting") || states.has("running")) {
    for (const place of await findOnDesks(store, layout)) if (states.has(place.state)) found.push(place);
  }
  await room(layout.retryDesk, "retrying", (file) => layout.toRetry(file));
  await room(layout.end("jobdone"), "done", (file) => layout.ended("jobdone", file));
  await room(layout.end("jobfailed"), "failed", (file) => layout.ended("jobfailed", file));
  await room(layout.end("jobcancelled"), "cancelled", (file) => layout.ended("jobcancelled", file));
  return found;
}

/** The jobs on workers' desks: those that run, and those that lie ahead. */
export async function findOnDesks(store: Store, layout: Layout): Promise<JobPlace[]> {
  const found: JobPlace[] = [];
  for (const entry of await namesIfThere(store, layout.jobpod)) {
    if (layout.deskKind(entry) === undefined) continue;
    const names = await namesIfThere(store, layout.desk(entry));
    const there = new Set(names);
    for (const file of names) {
      if (isLock(file) || isIgnored(file)) continue;
      const state = there.has(lockOf(file)) ? "running" : "waiting";
      found.push({ job: jobName(file), file, state, path: layout.onDesk(entry, file), worker: entry });
    }
  }
  return found;
}

/** Whether a job has still to be done, or is just being. */
export function isPending({ state }: Pick<JobPlace, "state">): boolean {
  return state === "waiting" || state === "running" || state === "retrying";
}

/**
 * One place for each job: of those that were met twice, or whose name was used again, the one that is still to be done, else
 * the last end. When they ended, the change times of the files tell: a rename sets them, by the one clock of the store.
 */
export async function onePlaceEach(
  store: Store,
  places: readonly JobPlace[],
): Promise<Map<string, JobPlace>> {
  const best = new Map<string, JobPlace>();
  const isNumber = isAmong(places.flatMap(({ numbers }) => numbers ?? []));
  for (const place of places) {
    if (!isOpen(place) && place.numbers === undefined && isNumber(place.job)) continue;
    const other = best.get(place.job);
    if (other === undefined || (await isLater(store, place, other))) best.set(place.job, place);
  }
  return best;
}

function isOpen(place: JobPlace): boolean {
  return isPending(place) || place.state === "held";
}

async function isLater(store: Store, place: JobPlace, other: JobPlace): Promise<boolean> {
  if (isOpen(other)) return false;
  return isOpen(place) || (await changed(store, place)) > (await changed(store, other));
}

async function changed(store: Store, { path }: JobPlace): Promise<number> {
  return (await factsIfThere(store, path))?.ctimeMs ?? 0;
}
