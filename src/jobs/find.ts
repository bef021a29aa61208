import { isIgnored, jobName } from "../job/name.js";
import { deskKind } from "../project/entry-names.js";
import { isLock, lockOf } from "../project/layout.js";
import { factsIfThere, namesIfThere } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import type { Store } from "../store/store.js";
import { isAmong, placesOf, readArrays } from "./numbers.js";
import {
  directoryOfState,
  isNumbers,
  isOpen,
  JOB_STATES,
  type JobPlace,
  type JobState,
  pathInState,
  type SinglePlace,
} from "./places.js";

/**
 * Finds all jobs. The function lists every directory in which jobs can lie. A job that moves meanwhile may be found twice or not
 * at all. Callers that decide by the result search again.
 */
export async function findJobs(
  site: Site,
  states: ReadonlySet<JobState> = new Set(JOB_STATES),
): Promise<JobPlace[]> {
  const { store, layout } = site;
  const found: JobPlace[] = [];
  for (const view of await readArrays(site)) found.push(...placesOf(layout, view, states));
  // Jobs move in the order of the states. So a job that moves during the search is usually found twice, and rarely missed.
  for (const state of JOB_STATES) {
    if (state === "running") {
      if (!states.has("running") && !states.has("waiting")) continue;
      for (const place of await findOnDesks(site)) if (states.has(place.state)) found.push(place);
    } else if (states.has(state)) {
      for (const file of await namesIfThere(store, directoryOfState(layout, state))) {
        if (isIgnored(file)) continue;
        found.push({ kind: "job", job: jobName(file), file, state, path: pathInState(layout, state, file) });
      }
    }
  }
  return found;
}

/** Finds the jobs on workers' desks: those that run, and those that wait there. */
export async function findOnDesks(site: Site): Promise<SinglePlace[]> {
  const { store, layout } = site;
  const found: SinglePlace[] = [];
  for (const entry of await namesIfThere(store, layout.jobpod)) {
    if (deskKind(entry) === undefined) continue;
    const names = await namesIfThere(store, layout.desk(entry));
    const there = new Set(names);
    for (const file of names) {
      if (isLock(file) || isIgnored(file)) continue;
      const state = there.has(lockOf(file)) ? "running" : "waiting";
      const path = layout.onDesk(entry, file);
      found.push({ kind: "job", job: jobName(file), file, state, path, worker: entry });
    }
  }
  return found;
}

/**
 * Keeps one place for each name that was found more than once. A place where the job has not ended wins. Otherwise the last end
 * wins, by the change times of the files, which each rename sets.
 */
export async function onePlaceEach(
  store: Store,
  places: readonly JobPlace[],
): Promise<Map<string, JobPlace>> {
  const best = new Map<string, JobPlace>();
  const isNumber = isAmong(places.filter(isNumbers).map(({ numbers }) => numbers));
  for (const place of places) {
    if (!isOpen(place) && place.kind === "job" && isNumber(place.job)) continue;
    const other = best.get(place.job);
    if (other === undefined || (await isLater(store, place, other))) best.set(place.job, place);
  }
  return best;
}

async function isLater(store: Store, place: JobPlace, other: JobPlace): Promise<boolean> {
  if (isOpen(other)) return false;
  return isOpen(place) || (await changed(store, place)) > (await changed(store, other));
}

async function changed(store: Store, { path }: JobPlace): Promise<number> {
  return (await factsIfThere(store, path))?.ctimeMs ?? 0;
}
