import { pauseAfter } from "../store/pause.js";
import type { Site } from "../store/site.js";
import { AwaitedJobs, type AwaitOptions, type JobEnd } from "./awaited.js";
import { onePlaceEach } from "./find.js";
import { Finder } from "./finder.js";

export interface WaitOptions extends AwaitOptions {
  /** Longest time to wait, in seconds; without a limit by default. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

export interface WaitResult {
  readonly end: "all-ended" | "timeout" | "stopped";
  readonly ended: readonly JobEnd[];
  /** Jobs that had not ended when the wait ended. */
  readonly pending: readonly string[];
}

/** Pause between two searches for the jobs. */
const PAUSE = { times: 10, atLeast: 100, atMost: 30_000 };

/**
 * Waits until jobs have ended. The call changes nothing, so a caller may stop it and call it again.
 *
 * @param jobs names of the jobs; undefined for all jobs that wait or run, also those that are submitted meanwhile
 */
export async function wait(
  site: Site,
  jobs: readonly string[] | undefined,
  options: WaitOptions,
): Promise<WaitResult> {
  const { store } = site;
  const { clock } = store;
  const until = clock.now() + (options.timeout ?? Number.POSITIVE_INFINITY) * 1000;
  const finder = new Finder(site);
  const awaited = new AwaitedJobs(site, jobs, options);
  for (;;) {
    await awaited.update(await onePlaceEach(store, await finder.find(awaited.names)));
    const { ended, pending } = awaited;
    if (pending.length === 0) return { end: "all-ended", ended, pending };
    if (options.signal?.aborted) return { end: "stopped", ended, pending };
    const now = clock.now();
    if (now >= until) return { end: "timeout", ended, pending };
    await clock.sleep(Math.min(pauseAfter(finder.cost, PAUSE), until - now), options.signal);
  }
}
