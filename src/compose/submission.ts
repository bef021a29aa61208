import { FjordError } from "../job/error.js";
import { quote } from "../job/quote.js";
import type { Layout } from "../project/layout.js";
import { findJobs, type JobPlace } from "../report/jobs.js";
import { isErrno, type Store } from "../spool/store.js";
import { submit } from "../spool/submit.js";
import type { Draft } from "./draft.js";

/**
 * S1 for each draft, one after the other.
 *
 * @param replace whether a job of that name that waits may be replaced. One that is on a desk is its worker's: the new one
 * runs when that has ended
 * @returns those that lie on a desk still, of which a new one was submitted
 * @throws FjordError `job-refused` when a job of one of the names waits or runs: then nothing was submitted
 */
export async function submitDrafts(
  store: Store,
  layout: Layout,
  drafts: readonly Draft[],
  options: { readonly replace: boolean; readonly flush: boolean; readonly dryRun?: boolean },
): Promise<string[]> {
  const busy = await busyJobs(store, layout);
  const taken = drafts.map(({ job }) => busy.get(job)).filter((place) => place !== undefined);
  if (taken.length > 0 && !options.replace) throw refusal(taken);
  if (options.dryRun !== true) {
    for (const { job, file, content, mode } of drafts) {
      await submit(store, layout, file, content, options.flush, { mode, replace: options.replace });
      const old = busy.get(job);
      if (old !== undefined) await withdraw(store, layout, old, file);
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
