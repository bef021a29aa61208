/** What the plan knows of one worker. */
export interface Load {
  readonly worker: string;
  /** Jobs on its desk, the running one among them. */
  readonly jobs: number;
  /** Seconds per job, 0 while unknown. */
  readonly pace: number;
  /** Seconds in which nothing has come to its desk or left it: the running job has taken as long at least. */
  readonly still: number;
}

/** What to do: give `count` jobs from the queue to a worker, or move one from a desk to another. */
export type Step =
  | { kind: "give"; worker: string; count: number }
  | { kind: "move"; from: string; to: string };

/** The most jobs that may lie ahead of a worker. */
const DEEPEST = 64;
/** A job that lies ahead of a worker which needs so many windows for one is better taken by whoever is free first. */
const LONG = 5;

/**
 * How many jobs a desk should hold: one to run, and so many ahead that the worker does not wait for the
 * dispatcher. None ahead when jobs are long against the time that a refill takes: then the order of the queue matters
 * more than that time. Nothing known: one at a time where the bell rings, one ahead where it does not.
 *
 * @param window seconds of work that should lie ahead
 */
export function desiredDepth(pace: number, window: number, bellRings: boolean): number {
  if (pace === 0) return bellRings ? 1 : 2;
  if (pace > window * LONG) return 1;
  return 1 + Math.min(DEEPEST, Math.max(1, Math.round(window / pace)));
}

/**
 * Shares the waiting jobs out: every desk is filled to the same level, none beyond its depth, so that few jobs spread
 * over all workers and many come in batches. When nothing waits, workers without a job get what lies ahead of others.
 * Pure: the same stock gives the same steps.
 *
 * @param loads workers that take jobs, in any order
 */
export function plan(loads: readonly Load[], waiting: number, window: number, bellRings: boolean): Step[] {
  const desks = loads.map((load) => ({
    ...load,
    given: 0,
    depth: desiredDepth(load.pace, window, bellRings),
  }));
  let left = waiting;
  const deepest = Math.max(0, ...desks.map((desk) => desk.depth));
  for (let level = 1; level <= deepest && left > 0; level++) {
    for (const desk of desks) {
      if (left === 0) break;
      if (desk.depth < level || desk.jobs + desk.given >= level) continue;
      desk.given++;
      left--;
    }
  }
  const steps: Step[] = [];
  for (const { worker, given } of desks) if (given > 0) steps.push({ kind: "give", worker, count: given });
  if (waiting > 0) return steps;
  return steps.concat(movesToIdle(desks, window));
}

function movesToIdle(loads: readonly Load[], window: number): Step[] {
  const idle = loads.filter((load) => load.jobs === 0).map((load) => load.worker);
  const donors = loads
    .map(({ worker, jobs, pace, still }) => ({
      worker,
      ahead: jobs - 1,
      pace: Math.max(pace || window, still),
    }))
    .filter((donor) => donor.ahead > 0 && donor.ahead * donor.pace >= window / 2);
  const moves: Step[] = [];
  for (const to of idle) {
    const donor = donors.reduce<(typeof donors)[number] | undefined>(
      (best, next) =>
        next.ahead > 0 && next.ahead * next.pace > (best ? best.ahead * best.pace : 0) ? next : best,
      undefined,
    );
    if (donor === undefined) break;
    donor.ahead--;
    moves.push({ kind: "move", from: donor.worker, to });
  }
  return moves;
}
