import type { CancelOrHold } from "../spool/cancel.js";
import { forgetEdits } from "../spool/edit-mark.js";
import type { Site } from "../store/site.js";
import { type CancelledOrHeld, Cancelling, type OpenJob } from "./cancelling.js";
import { findAgain } from "./find-again.js";
import { sizeOfPlace } from "./numbers.js";
import { isEnd, isSingle, type JobPlace, type SinglePlace } from "./places.js";

export interface CancelOptions {
  /** Whether to report only what would be done. */
  readonly dryRun?: boolean;
  /** Seconds to wait for workers; 60 by default. */
  readonly patience?: number;
  readonly signal?: AbortSignal;
}

/** Pause between two searches for the jobs that workers were asked to cancel or to hold, ms. */
const SEARCHES_APART = 50;

/** Cancels jobs that wait or run. The whole process group of a job that runs is stopped. */
export function cancelJobs(
  site: Site,
  places: readonly JobPlace[],
  options: CancelOptions,
): Promise<CancelledOrHeld[]> {
  return cancelOrHoldJobs(site, "cancel", places, options);
}

/**
 * Holds waiting jobs, so that they do not run until somebody releases them. Ends the edits of jobs that were held already, so
 * that no edit puts them back.
 */
export async function holdJobs(
  site: Site,
  places: readonly JobPlace[],
  options: CancelOptions,
): Promise<CancelledOrHeld[]> {
  const ends = await cancelOrHoldJobs(site, "hold", places, options);
  if (options.dryRun === true) return ends;
  const held = new Set(ends.filter(({ end }) => end === "done").map(({ job }) => job));
  const files = places.filter(isSingle).filter(({ job }) => held.has(job));
  await forgetEdits(site, new Set(files.map(({ file }) => file)));
  return ends;
}

/** S4: cancels or holds jobs. For a job on a desk, the worker gets a request to do this. */
export async function cancelOrHoldJobs(
  site: Site,
  act: CancelOrHold,
  places: readonly JobPlace[],
  options: CancelOptions,
): Promise<CancelledOrHeld[]> {
  if (options.dryRun === true) return places.map((place) => foretell(act, place));
  const { store, layout } = site;
  await store.mkdir(layout.jobheld, true); // projects of earlier versions may not have this directory
  const until = store.clock.now() + (options.patience ?? 60) * 1000;
  const cancelling = new Cancelling(site, act);
  await cancelling.readAttempts(places);
  const single: SinglePlace[] = [];
  const ofArrays: CancelledOrHeld[] = [];
  for (const place of places) {
    if (place.kind === "job") single.push(place);
    else single.push(...(await cancelling.changeNumbers(place, ofArrays)));
  }
  const open = new Map<string, OpenJob>(single.map((place) => [place.job, { ...place, asked: new Map() }]));
  const ends = new Map<string, CancelledOrHeld["end"]>();
  let found = new Map(single.map((place) => [place.job, place]));
  for (;;) {
    try {
      for (const one of open.values()) {
        const end = await cancelling.tryOne(one, found.get(one.job));
        if (end === undefined) continue;
        ends.set(one.job, end);
        open.delete(one.job);
      }
    } finally {
      await cancelling.record(); // records also the jobs that were cancelled before an error of the store
    }
    if (open.size === 0 || store.clock.now() > until || options.signal?.aborted === true) break;
    await store.clock.sleep(SEARCHES_APART);
    found = await findAgain(site, [...open.values()]);
  }
  return [...ofArrays, ...single.map(({ job, state }) => ({ job, state, end: ends.get(job) ?? "asked" }))];
}

function foretell(act: CancelOrHold, place: JobPlace): CancelledOrHeld {
  const { job, state } = place;
  const count = place.kind === "numbers" && { count: sizeOfPlace(place) };
  if (isEnd(state)) return { job, state, end: "ended", ...count };
  return { job, state, end: act === "hold" && state === "running" ? "running" : "done", ...count };
}
