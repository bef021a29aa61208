import { elementOf } from "../job/element.js";
import { FjordError } from "../job/error.js";
import { quote } from "../job/quote.js";
import { findJobs } from "../jobs/find.js";
import { hasNumber } from "../jobs/numbers.js";
import { isNumbers, isOpen, JOB_STATES, type JobPlace, type NumbersPlace, workerOf } from "../jobs/places.js";
import { beginArray } from "../spool/arrays.js";
import { submit } from "../spool/submit.js";
import { ifThere } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import type { Draft } from "./draft.js";

export interface SubmissionOptions {
  /** Whether the drafts may replace waiting jobs of their names; false by default. */
  readonly replace?: boolean;
  /** Whether to check the drafts only. */
  readonly dryRun?: boolean;
  /** Called after each job with the number of jobs that are in the queue. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/**
 * S1: submits drafts one after the other. A job with the same name on a desk is not replaced. The new job runs after that job.
 *
 * @returns names of the jobs on desks that have the same name as a new job
 * @throws FjordError `job-refused` if a job with one of the names waits or runs. Then nothing was submitted.
 */
export async function submitDrafts(
  site: Site,
  drafts: readonly Draft[],
  options: SubmissionOptions,
): Promise<string[]> {
  const busy = await busyJobs(site);
  const taken: Taken[] = drafts.flatMap((draft) => {
    const place = busy.taking(draft);
    return place === undefined ? [] : [{ place, name: draft.job }];
  });
  const arrays = taken.map(({ place }) => place).filter(isNumbers);
  if (taken.length > 0 && (options.replace !== true || arrays.length > 0)) throw refusal(taken, arrays);
  if (options.dryRun !== true) {
    let done = 0;
    for (const { job, file, content, mode, array } of drafts) {
      await submit(site, file, content, site.settings.flush, { mode, replace: options.replace ?? false });
      const old = busy.of(job);
      if (old !== undefined) await removeReplaced(site, old, file);
      // A dispatcher would begin the array later. If the array begins now, users can name its elements at once.
      if (array !== undefined) await beginArray(site, file);
      options.onProgress?.(++done);
    }
  }
  return taken.filter(({ place }) => workerOf(place) !== undefined).map(({ place }) => place.job);
}

/** Jobs that have not ended, by name. If several jobs have the same name, the one in the latest state counts. */
class BusyJobs {
  readonly #jobs = new Map<string, JobPlace>();
  /** Numbers that have no job files yet, by array. */
  readonly #arrays = new Map<string, NumbersPlace>();
  /** One job with the name of an element, by array. */
  readonly #elements = new Map<string, JobPlace>();

  constructor(places: readonly JobPlace[]) {
    for (const place of places) {
      this.#jobs.set(place.job, place);
      if (place.kind === "numbers") this.#arrays.set(place.numbers.array, place);
      else this.#elements.set(elementOf(place.job)?.array ?? "", place);
    }
  }

  /** Finds a job with the name of a draft, or with the name of an element of an array. */
  taking({ job, array }: Draft): JobPlace | undefined {
    return this.of(job) ?? (array === undefined ? undefined : this.#elements.get(job));
  }

  /** Finds a job, an array, or an element of an array that has no job file yet. */
  of(name: string): JobPlace | undefined {
    const element = elementOf(name);
    const array = this.#arrays.get(name) ?? this.#arrays.get(element?.array ?? "");
    const isIn = array?.job === name || array?.numbers.array === name;
    if (isIn || (element && array && hasNumber(array.numbers, element.number))) return array;
    return this.#jobs.get(name);
  }
}

async function busyJobs(site: Site): Promise<BusyJobs> {
  return new BusyJobs(await findJobs(site, new Set(JOB_STATES.filter((state) => isOpen({ state })))));
}

/**
 * Removes a replaced job that the rename has not overwritten. This is a script or job file with the same name, or a job on the
 * retry desk.
 */
async function removeReplaced(site: Site, old: JobPlace, file: string): Promise<void> {
  const { store, layout } = site;
  if (workerOf(old) !== undefined || old.path === layout.queued(file)) return;
  await ifThere(store.unlink(old.path));
}

/** A job that has the name of a draft. */
interface Taken {
  readonly name: string;
  readonly place: JobPlace;
}

function refusal(taken: readonly Taken[], arrays: readonly NumbersPlace[]): FjordError {
  const shown = taken.slice(0, 5).map(({ name, place }) => {
    const { job, state } = place;
    if (place.kind === "numbers") {
      const { array } = place.numbers;
      if (array === name) return `Elements of an array ${quote(name)} wait already: ${quote(job)}.`;
      return `${quote(name)} waits already, in the array ${quote(array)}.`;
    }
    return `A job ${quote(job)} ${state === "running" ? "runs now" : state === "held" ? "is held" : "waits already"}.`;
  });
  if (taken.length > shown.length) shown.push(`… and ${taken.length - shown.length} more.`);
  return new FjordError(
    "job-refused",
    shown.join("\n"),
    arrays.length > 0
      ? `Nothing was submitted. Give another name, wait until the array has ended, or first: fjord cancel ${arrays[0]?.numbers.array}`
      : "Nothing was submitted. Give another name, wait until that job has ended, or use --replace.",
  );
}
