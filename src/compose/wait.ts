import { setTimeout as delay } from "node:timers/promises";
import type { Layout } from "../project/layout.js";
import { findJobs, isPending, type JobPlace, onePlaceEach } from "../report/jobs.js";
import type { Store } from "../spool/store.js";

export interface WaitOptions {
  /** Seconds; for ever if not said. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** Told of each job as it ends. */
  readonly onEnd?: (end: JobEnd) => void;
}

/** How a job that was waited for ended. `gone`: its file is in none of the rooms any more. */
export interface JobEnd {
  readonly job: string;
  readonly state: "done" | "failed" | "cancelled" | "gone";
}

export interface WaitResult {
  readonly end: "all-ended" | "timeout" | "stopped";
  readonly ended: readonly JobEnd[];
  /** Jobs that had not ended when the waiting did. */
  readonly pending: readonly string[];
}

/** Between two looks, ms, at the least; and this many times what a look takes. */
const LOOKS_APART = 100;
const LOOK_SHARE = 10;

/**
 * Waits until jobs have ended. It only looks, so it may be stopped and begun again.
 *
 * @param jobs names; undefined: whatever waits or runs, also what comes meanwhile
 */
export async function wait(
  store: Store,
  layout: Layout,
  jobs: readonly string[] | undefined,
  options: WaitOptions,
): Promise<WaitResult> {
  const begin = performance.now();
  const until = begin + (options.timeout ?? Number.POSITIVE_INFINITY) * 1000;
  const wanted = new Set(jobs);
  const ended = new Map<string, JobEnd>();
  const missed = new Set<string>();
  for (;;) {
    const look = performance.now();
    const places = await onePlaceEach(store, await findJobs(store, layout));
    if (jobs === undefined) {
      for (const place of places.values()) if (isPending(place)) wanted.add(place.job);
    }
    for (const job of wanted) {
      const place = places.get(job);
      if (ended.has(job) && !(place !== undefined && isPending(place))) continue;
      ended.delete(job);
      const end = endOf(job, place, missed);
      if (end === undefined) continue;
      ended.set(job, end);
      options.onEnd?.(end);
    }
    const pending = [...wanted].filter((job) => !ended.has(job));
    const result = (end: WaitResult["end"]): WaitResult => ({ end, ended: [...ended.values()], pending });
    if (pending.length === 0) return result("all-ended");
    if (options.signal?.aborted) return result("stopped");
    const now = performance.now();
    if (now >= until) return result("timeout");
    const pause = Math.min(Math.max(LOOKS_APART, (now - look) * LOOK_SHARE), until - now);
    await delay(pause, undefined, options.signal && { signal: options.signal }).catch(() => undefined);
  }
}

/** A job that is on its way from one room to the next can be missed: it is gone when two looks in a row do not find it. */
function endOf(job: string, place: JobPlace | undefined, missed: Set<string>): JobEnd | undefined {
  if (place === undefined) {
    if (missed.has(job)) return { job, state: "gone" };
    missed.add(job);
    return undefined;
  }
  missed.delete(job);
  const { state } = place;
  return state === "done" || state === "failed" || state === "cancelled" ? { job, state } : undefined;
}
