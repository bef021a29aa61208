import { setTimeout as delay } from "node:timers/promises";
import { elementName, elementOf } from "../job/element.js";
import { numbersOf } from "../job/numbers.js";
import type { Layout } from "../project/layout.js";
import { hasNumber, type Numbers } from "../report/arrays.js";
import { findJobs, isPending, type JobPlace, onePlaceEach } from "../report/jobs.js";
import type { Store } from "../spool/store.js";
import { findNamed } from "./find-named.js";

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
/** A look may have been kept waiting by the store: the next one is no farther off than that, ms. */
const LOOKS_APART_AT_MOST = 30_000;
/** So many names are asked for one by one at the most; and so many always are. */
const ASKED = 1000;
const FEW = 100;

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
  const looks = new Looks(store, layout, jobs);
  for (;;) {
    const places = new Places(await onePlaceEach(store, await looks.look()));
    if (jobs === undefined) for (const job of places.pending()) wanted.add(job);
    for (const job of wanted) {
      const place = places.of(job);
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
    const rest = Math.max(LOOKS_APART, Math.min(looks.cost * LOOK_SHARE, LOOKS_APART_AT_MOST));
    const pause = Math.min(rest, until - now);
    await delay(pause, undefined, options.signal && { signal: options.signal }).catch(() => undefined);
  }
}

/**
 * Looks for jobs. A few that are named are asked for one by one, which takes the same time however many others there are;
 * of some hundreds it is tried out what is quicker, that or listing all.
 */
class Looks {
  readonly #store: Store;
  readonly #layout: Layout;
  readonly #names: ReadonlySet<string> | undefined;
  /** Of the last look of each kind, ms. */
  #named = Number.POSITIVE_INFINITY;
  #listed = Number.POSITIVE_INFINITY;

  constructor(store: Store, layout: Layout, jobs: readonly string[] | undefined) {
    this.#store = store;
    this.#layout = layout;
    this.#names = jobs === undefined || jobs.length > ASKED ? undefined : new Set(jobs);
  }

  /** What the next look will take about, ms. */
  get cost(): number {
    return Math.min(this.#named, this.#listed);
  }

  async look(): Promise<JobPlace[]> {
    const begin = performance.now();
    if (this.#names === undefined || this.#isListing(this.#names)) {
      const places = await findJobs(this.#store, this.#layout);
      this.#listed = performance.now() - begin;
      return places;
    }
    const places = await findNamed(this.#store, this.#layout, this.#names);
    this.#named = performance.now() - begin;
    return places;
  }

  #isListing(names: ReadonlySet<string>): boolean {
    if (names.size <= FEW || this.#named === Number.POSITIVE_INFINITY) return false;
    return this.#listed === Number.POSITIVE_INFINITY || this.#listed < this.#named;
  }
}

/** Where jobs are, also those that are no more than numbers of an array yet. */
class Places {
  readonly #jobs: ReadonlyMap<string, JobPlace>;
  readonly #numbers = new Map<string, { readonly state: JobPlace["state"]; readonly numbers: Numbers }[]>();

  constructor(jobs: ReadonlyMap<string, JobPlace>) {
    this.#jobs = jobs;
    for (const { state, numbers } of jobs.values()) {
      if (numbers === undefined) continue;
      const ofArray = this.#numbers.get(numbers.array) ?? [];
      this.#numbers.set(numbers.array, ofArray);
      ofArray.push({ state, numbers });
    }
  }

  *pending(): Generator<string> {
    for (const place of this.#jobs.values()) {
      if (!isPending(place)) continue;
      if (place.numbers === undefined) yield place.job;
      else
        for (const number of numbersOf(place.numbers.ranges)) yield elementName(place.numbers.array, number);
    }
  }

  of(job: string): Pick<JobPlace, "state"> | undefined {
    const place = this.#jobs.get(job);
    const element = place === undefined ? elementOf(job) : undefined;
    if (element === undefined) return place;
    const parts = this.#numbers.get(element.array);
    // Its array may not have begun yet, or may never have: it is the array's job file that lies somewhere then.
    if (parts === undefined) return this.#jobs.get(element.array);
    return parts.find(({ numbers }) => hasNumber(numbers, element.number));
  }
}

/** A job that is on its way from one room to the next can be missed: it is gone when two looks in a row do not find it. */
function endOf(
  job: string,
  place: Pick<JobPlace, "state"> | undefined,
  missed: Set<string>,
): JobEnd | undefined {
  if (place === undefined) {
    if (missed.has(job)) return { job, state: "gone" };
    missed.add(job);
    return undefined;
  }
  missed.delete(job);
  const { state } = place;
  return state === "done" || state === "failed" || state === "cancelled" ? { job, state } : undefined;
}
