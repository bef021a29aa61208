import { FjordError } from "../job/error.js";
import { quote } from "../job/quote.js";
import type { Layout } from "../project/layout.js";
import { findJobs, type JobPlace } from "../report/jobs.js";
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
  const taken = drafts.map(({ job }) => busy.get(job)).filter((place) => place !== undefined);
  if (taken.length > 0 && options.replace !== true) throw refusal(taken);
  if (options.dryRun !== true) {
    let done = 0;
    for (const { job, file, content, mode } of drafts) {
      await submit(store, layout, file, content, options.flush, { mode, replace: options.replace ?? false });
      const old = busy.get(job);
      if (old !== undefined) await withdraw(store, layout, old, file);
      options.onProgress?.(++done);
    }
  }
  return taken.filter(({ worker }) => worker !== undefined).map(({ job }) => job);
}

/** Jobs that wait or run, by name; of several of a name the one that is farthest. */
async function busyJobs(store: Store, layout: Layout): Promise<Map<string, JobPlace>> {
  const places = await findJobs(store, layout, new Set(["waiting", "running", "retrying"]));
  return new Map(places.map((place) => [place.job, place]));
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

function refusal(taken: readonly JobPlace[]): FjordError {
  const shown = taken
    .slice(0, 5)
    .map(({ job, state }) => `A job ${quote(job)} ${state === "running" ? "runs now" : "waits already"}.`);
  if (taken.length > shown.length) shown.push(`… and ${taken.length - shown.length} more.`);
  return new FjordError(
    "job-refused",
    shown.join("\n"),
    "Nothing was submitted. Give another name, wait for it, or use --replace.",
  );
}
