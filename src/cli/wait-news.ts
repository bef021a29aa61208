import type { Pending } from "../jobs/awaited.js";
import { toType } from "../project/to-type.js";
import { some } from "./wording.js";

/** The state of the jobs for which a command waits, and who works on them, at one moment. */
export interface Situation extends Pending {
  /** Whether a worker that can run the jobs is on duty. */
  readonly hasWorker: boolean;
  readonly hasDispatcher: boolean;
}

type Lack = "worker" | "dispatcher";

/** Facts that a wait has seen and reported up to now. */
export interface Told {
  /** The situation before this one; undefined at first. */
  readonly before: Situation | undefined;
  /** Lacks that were reported and still exist. */
  readonly lacks: ReadonlySet<Lack>;
  /** Held jobs that were reported, but whose release has not been reported yet. */
  readonly held: ReadonlySet<string>;
}

export const NOTHING_TOLD: Told = { before: undefined, lacks: new Set(), held: new Set() };

/** The command that waits. */
export interface Waiter {
  /** The project as the user named it. */
  readonly named: string | undefined;
  /**
   * Whether the command runs in a job. The worker of that job cannot run another job meanwhile, so this worker does not count.
   */
  readonly isInJob: boolean;
}

/**
 * The lines that report a new lack, or the end of a lack. A lack in the first situation is reported at once. A later lack is
 * reported only when two situations in a row have it. So a dispatcher that hands over, or a worker that is replaced, is not
 * reported.
 */
export function newsOf(
  told: Told,
  now: Situation,
  { named, isInJob }: Waiter,
): { readonly lines: readonly string[]; readonly told: Told } {
  const { before = now } = told;
  const lines: string[] = [];
  const lacks = new Set(told.lacks);
  const isNew = (lack: Lack) => lacksOf(now).has(lack) && lacksOf(before).has(lack) && !lacks.has(lack);

  const held = new Set(now.held.filter((job) => told.held.has(job) || before.held.includes(job)));
  const newlyHeld = [...held].filter((job) => !told.held.has(job));
  const released = [...told.held].filter((job) => !held.has(job));
  if (newlyHeld.length > 0)
    lines.push(`Held until they are released: ${some(newlyHeld)}: ${toType("fjord release JOB…", named)}`);
  if (released.length > 0) lines.push(`No longer held: ${some(released)}.`);

  if (isNew("worker")) {
    lacks.add("worker");
    const who = isInJob ? "No other worker than that of this job is on duty" : "No worker is on duty";
    lines.push(`${who}: ${toType("recruiter hire", named)}`);
  } else if (now.hasWorker && lacks.delete("worker")) {
    lines.push(`A${isInJob ? "nother" : ""} worker is on duty now.`);
  }
  if (isNew("dispatcher")) {
    lacks.add("dispatcher");
    lines.push(`Nobody dispatches: ${toType("dispatcher", named)}`);
  } else if (now.hasDispatcher && lacks.delete("dispatcher")) {
    lines.push("A dispatcher is at work now.");
  }

  return { lines, told: { before: now, lacks, held } };
}

/**
 * The lacks that keep jobs from going on. A running job needs a dispatcher, too. The dispatcher decides about retries, and takes
 * the job back if its worker dies. This host cannot see that a worker of another host has died.
 */
function lacksOf({ waiting, running, hasWorker, hasDispatcher }: Situation): ReadonlySet<Lack> {
  const lacks = new Set<Lack>();
  if (waiting + running === 0) return lacks;
  if (!hasWorker) lacks.add("worker");
  if (!hasDispatcher) lacks.add("dispatcher");
  return lacks;
}
