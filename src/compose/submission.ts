import { elementOf } from "../job/element.js";
import { FjordError } from "../job/error.js";
import { quote } from "../job/quote.js";
import type { Layout } from "../project/layout.js";
import { hasNumber } from "../report/arrays.js";
import { findJobs, type JobPlace } from "../report/jobs.js";
import { beginArray } from "../spool/arrays.js";
import { isErrno, type Store } from "../spool/store.js";
import { submit } from "../spool/submit.js";
import type { Draft } from "./draft.js";

export interface SubmissionOptions {
  /** Whether jobs of those names that wait may be replaced; no if not said. */
  readonly replace?: boolean;
  /** Only check. */
  readonly dryRun?: boolean;
  /** Told after each job how many are in the queue. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/**
 * S1 for each draft, one after the other.
 *
 * With `replace`, a job of that name that is on a desk is left to its worker: the new one runs when that has ended.
 *
 * @returns those that lie on a desk still, of which a new one was submitted
 * @throws FjordError `job-refused` when a job of one of the names waits or runs: then nothing was submitted
 */
export async function submitDrafts(
  store: Store,
  layout: Layout,
  drafts: readonly Draft[],
  options: SubmissionOptions & { readonly flush: boolean },
): Promise<string[]> {
  const busy = await busyJobs(store, layout);
  const taken: Taken[] = drafts.flatMap((draft) => {
    const place = busy.taking(draft);
    return place === undefined ? [] : [{ ...place, name: draft.job }];
  });
  const arrays = taken.filter(({ numbers }) => numbers !== undefined);
  if (taken.length > 0 && (options.replace !== true || arrays.length > 0)) throw refusal(taken, arrays);
  if (options.dryRun !== true) {
    let done = 0;
    for (const { job, file, content, mode, array } of drafts) {
      await submit(store, layout, file, content, options.flush, { mode, replace: options.replace ?? false });
      const old = busy.of(job);
      if (old !== undefined) await withdraw(store, layout, old, file);
      // So that its elements have names from now on; whoever dispatches would do it too.
      if (array !== undefined) await beginArray(store, layout, file);
      options.onProgress?.(++done);
    }
  }
  return taken.filter(({ worker }) => worker !== undefined).map(({ job }) => job);
}

/** Jobs that wait or run, by name; of several of a name the one that is farthest. */
class BusyJobs {
  readonly #jobs = new Map<string, JobPlace>();
  /** Of arrays what is no job yet. */
  readonly #arrays = new Map<string, JobPlace>();
  /** One of the jobs that could be elements, by the array's name. */
  readonly #elements = new Map<string, JobPlace>();

  constructor(places: readonly JobPlace[]) {
    for (const place of places) {
      this.#jobs.set(place.job, place);
      if (place.numbers !== undefined) this.#arrays.set(place.numbers.array, place);
      else this.#elements.set(elementOf(place.job)?.array ?? "", place);
    }
  }

  /** Whatever is there of one of its names. */
  taking({ job, array }: Draft): JobPlace | undefined {
    return this.of(job) ?? (array === undefined ? undefined : this.#elements.get(job));
  }

  /** What of this name is there: a job, an array, or an element of an array that is no job yet. */
  of(name: string): JobPlace | undefined {
    const element = elementOf(name);
    const array = this.#arrays.get(name) ?? this.#arrays.get(element?.array ?? "");
    const isIn = array?.job === name || array?.numbers?.array === name;
    if (isIn || (element && array?.numbers && hasNumber(array.numbers, element.number))) return array;
    return this.#jobs.get(name);
  }
}

async function busyJobs(store: Store, layout: Layout): Promise<BusyJobs> {
  return new BusyJobs(await findJobs(store, layout, new Set(["waiting", "held", "running", "retrying"])));
}

/** What has been replaced and has not gone with the rename: another file of the job's name, or a job before its retry. */
async function withdraw(store: Store, layout: Layout, old: JobPlace, file: string): Promise<void> {
  if (old.worker !== undefined || old.path === layout.queued(file)) return;
  try {
    await store.unlink(old.path);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
  }
}

/** What has a name that a new job is to have. */
type Taken = JobPlace & { readonly name: string };

function refusal(taken: readonly Taken[], arrays: readonly JobPlace[]): FjordError {
  const shown = taken.slice(0, 5).map(({ name, job, state, numbers }) => {
    if (numbers?.array === name) return `Of an array ${quote(name)} ${quote(job)} waits already.`;
    if (numbers !== undefined) return `${quote(name)} waits already, in the array ${quote(numbers.array)}.`;
    return `A job ${quote(job)} ${state === "running" ? "runs now" : state === "held" ? "is held" : "waits already"}.`;
  });
  if (taken.length > shown.length) shown.push(`… and ${taken.length - shown.length} more.`);
  return new FjordError(
    "job-refused",
    shown.join("\n"),
    arrays.length > 0
      ? `Nothing was submitted. Give another name, wait for it, or first: fjord cancel ${arrays[0]?.numbers?.array}`
      : "Nothing was submitted. Give another name, wait for it, or use --replace.",
  );
}
