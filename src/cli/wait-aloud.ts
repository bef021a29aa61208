import { setTimeout as delay } from "node:timers/promises";
import type { Project } from "../compose/project.js";
import type { WaitOptions, WaitResult } from "../compose/wait.js";
import { toType } from "../project/to-type.js";
import { findJobs } from "../report/jobs.js";
import { isSeatHeld } from "../spool/seat.js";
import { some } from "./verb.js";

/** How long somebody waits, ms, before it is looked whether anybody is at work, and all can be. */
const QUIET = 1000;

/**
 * `Project.wait`, which would wait for ever where nobody dispatches, no worker is on duty, or a job is held: that is told once, on
 * standard error, with what to type.
 *
 * @param named the project, as it was named
 */
export async function waitAloud(
  project: Project,
  named: string | undefined,
  jobs: readonly string[] | undefined,
  options: WaitOptions = {},
): Promise<WaitResult> {
  const over = new AbortController();
  tellWhatIsMissing(project, named, jobs ?? [], over.signal).catch(() => undefined); // who waits goes on without
  try {
    return await project.wait(jobs, options);
  } finally {
    over.abort();
  }
}

async function tellWhatIsMissing(
  project: Project,
  named: string | undefined,
  jobs: readonly string[],
  over: AbortSignal,
): Promise<void> {
  const { store, layout, settings } = project;
  await delay(QUIET, undefined, { signal: over });
  const workers = await project.workers();
  const isDispatched = await isSeatHeld(store, layout, settings.beat); // takes some beats when it is on another host
  const all = jobs.length > 0 ? await findJobs(store, layout, new Set(["held"])) : [];
  const names = new Set(jobs);
  const held = all.map(({ job }) => job).filter((job) => names.has(job));
  if (over.aborted) return;
  if (held.length > 0)
    tell(`Held back, until they are released: ${some(held)}: ${toType("fjord release JOB…", named)}`);
  if (workers.length === 0) tell(`No worker is on duty: ${toType("recruiter hire", named)}`);
  if (!isDispatched) tell(`Nobody dispatches: ${toType("dispatcher", named)}`);
}

function tell(text: string): void {
  process.stderr.write(`[fjord] ${text}\n`);
}
