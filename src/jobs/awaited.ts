import { elementOf } from "../job/element.js";
import type { Pattern } from "../job/selection.js";
import { listArrays } from "../spool/array-parts.js";
import { readJobFile } from "../spool/read-job-file.js";
import type { Site } from "../store/site.js";
import { hasNumber, namesOf, namesOfNumbers } from "./numbers.js";
import {
  type EndState,
  isEnd,
  isNumbers,
  isPending,
  type JobPlace,
  type JobState,
  type NumbersPlace,
} from "./places.js";
import { globsOf, Selection } from "./selection.js";

/** The awaited jobs that one search found not ended. */
export interface Pending {
  readonly waiting: number;
  readonly running: number;
  /** Their names. */
  readonly held: readonly string[];
}

/** How an awaited job ended. `gone`: its file is no longer in any directory. */
export interface JobEnd {
  readonly job: string;
  readonly state: EndState | "gone";
}

export interface AwaitOptions {
  /** Words whose patterns (`run*`) also select jobs that are submitted later. */
  readonly patterns?: readonly string[];
  /** A job for which the call does not wait, because the caller runs in this job. */
  readonly except?: string | undefined;
  /** Called for each job when it ends. */
  readonly onEnd?: (end: JobEnd) => void;
  /**
   * Called for each job when its file is first found, and when the job is queued again after its end. Numbers of an array without
   * job files are not reported.
   */
  readonly onJob?: (job: string) => void;
  /** Called after each search with the jobs that have not ended. */
  readonly onLook?: (pending: Pending) => void;
}

/** The awaited jobs, and what is known about them. */
export class AwaitedJobs {
  readonly #site: Site;
  readonly #options: AwaitOptions;
  readonly #takesAll: boolean;
  readonly #globs: readonly Pattern[];
  readonly #wanted: Set<string>;
  readonly #ended = new Map<string, JobEnd>();
  /** Jobs that the last search has not found. */
  readonly #missed = new Set<string>();
  /** Jobs for which `onJob` was called. */
  readonly #told = new Set<string>();

  /** @param jobs names of the jobs; undefined for all jobs that wait or run */
  constructor(site: Site, jobs: readonly string[] | undefined, options: AwaitOptions) {
    this.#site = site;
    this.#options = options;
    this.#takesAll = jobs === undefined;
    this.#globs = globsOf(options.patterns ?? []);
    this.#wanted = new Set(jobs);
  }

  /** Names to search for; undefined if any job may be an awaited one. */
  get names(): ReadonlySet<string> | undefined {
    return this.#takesAll || this.#globs.length > 0 ? undefined : this.#wanted;
  }

  get ended(): JobEnd[] {
    return [...this.#ended.values()];
  }

  get pending(): string[] {
    return [...this.#wanted].filter((job) => !this.#ended.has(job));
  }

  /** @param found result of a search, by name */
  async update(found: ReadonlyMap<string, JobPlace>): Promise<void> {
    await this.#addNew(found);
    const stateOf = statesIn(found);
    const left = { waiting: 0, running: 0, held: [] as string[] };
    for (const job of this.#wanted) {
      const state = stateOf(job);
      if (this.#ended.has(job) && !(state !== undefined && isPending({ state }))) continue;
      if (this.#ended.delete(job)) this.#told.delete(job);
      if (state === undefined && (await this.#replaceByElements(job))) continue;
      if (found.has(job) && !this.#told.has(job)) {
        this.#told.add(job);
        this.#options.onJob?.(job);
      }
      const end = this.#endOf(job, state);
      if (end !== undefined) {
        this.#ended.set(job, { job, state: end });
        this.#options.onEnd?.({ job, state: end });
      } else if (state === "held") left.held.push(job);
      else if (state === "running") left.running++;
      else if (state !== undefined) left.waiting++;
    }
    this.#options.onLook?.(left);
  }

  /** Adds jobs that have been submitted since the last search. */
  async #addNew(found: ReadonlyMap<string, JobPlace>): Promise<void> {
    if (this.#takesAll) {
      for (const job of namesOf([...found.values()].filter(isPending))) this.#wanted.add(job);
    }
    if (this.#globs.length > 0) {
      const arrays = await listArrays(this.#site);
      const selection = new Selection(found, new Map(arrays.map((name) => [name, undefined])));
      for (const glob of this.#globs) selection.addMatching(glob);
      for (const job of namesOf(selection.places(this.#site.layout))) this.#wanted.add(job);
    }
    if (this.#options.except !== undefined) this.#wanted.delete(this.#options.except);
  }

  /** A job file that has left the queue may have become an array. If so, this waits for the array's elements instead. */
  async #replaceByElements(job: string): Promise<boolean> {
    const path = this.#site.layout.arrayFile(job);
    const seen = (await this.#site.store.has(path))
      ? await readJobFile(this.#site.store, path, `${job}.ini`)
      : undefined;
    if (seen?.kind !== "valid" || seen.job.array === undefined) return false;
    this.#wanted.delete(job);
    const { ranges } = seen.job.array;
    for (const element of namesOfNumbers({ array: job, ranges })) this.#wanted.add(element);
    return true;
  }

  /**
   * A search may miss a job that moves at the same time. So a job counts as gone only when two searches in a row have not found
   * it.
   */
  #endOf(job: string, state: JobState | undefined): JobEnd["state"] | undefined {
    if (state === undefined) {
      if (this.#missed.has(job)) return "gone";
      this.#missed.add(job);
      return undefined;
    }
    this.#missed.delete(job);
    return isEnd(state) ? state : undefined;
  }
}

/** Returns a function that tells the state of a job by name, also of elements without job files. */
function statesIn(found: ReadonlyMap<string, JobPlace>): (job: string) => JobState | undefined {
  const byArray = new Map<string, NumbersPlace[]>();
  for (const place of [...found.values()].filter(isNumbers)) {
    const ofArray = byArray.get(place.numbers.array) ?? [];
    byArray.set(place.numbers.array, ofArray);
    ofArray.push(place);
  }
  return (job) => {
    const place = found.get(job);
    const element = place === undefined ? elementOf(job) : undefined;
    if (element === undefined) return place?.state;
    const parts = byArray.get(element.array);
    // If the array has not begun, its job file still stands for all of its elements.
    if (parts === undefined) return found.get(element.array)?.state;
    return parts.find(({ numbers }) => hasNumber(numbers, element.number))?.state;
  };
}
