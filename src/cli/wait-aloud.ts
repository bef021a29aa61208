import { setTimeout as delay } from "node:timers/promises";
import type { Project } from "../compose/project.js";
import type { WaitOptions, WaitResult } from "../compose/wait.js";
import { toType } from "../project/to-type.js";
import { isSeatHeld } from "../spool/seat.js";

/** How long somebody waits, ms, before it is looked whether anybody is at work. */
const QUIET = 1000;

/**
 * `Project.wait`, which would wait for ever where nobody dispatches or no worker is on duty: that is told once, on standard
 * error, with what to type.
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
  tellWhoIsMissing(project, named, over.signal).catch(() => undefined); // who waits goes on without
  try {
    return await project.wait(jobs, options);
  } finally {
    over.abort();
  }
}

async function tellWhoIsMissing(
  project: Project,
  named: string | undefined,
  over: AbortSignal,
): Promise<void> {
  const { store, layout, settings } = project;
  await delay(QUIET, undefined, { signal: over });
  const workers = await project.workers();
  const isDispatched = await isSeatHeld(store, layout, settings.beat); // takes some beats when it is on another host
  if (over.aborted) return;
  if (workers.length === 0) tell(`No worker is on duty: ${toType("recruiter hire", named)}`);
  if (!isDispatched) tell(`Nobody dispatches: ${toType("dispatcher", named)}`);
}

function tell(text: string): void {
  process.stderr.write(`[fjord] ${text}\n`);
}
