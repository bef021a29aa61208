import { isSteady, type Pace, paceAfter } from "../job/pace.js";
import type { WorkerStatus } from "./status.js";

/** How fast jobs end. */
export interface Speed {
  /** A second. */
  readonly rate: number;
  /** Seconds until all have ended; undefined: they differ so much that nobody can tell. */
  readonly left: number | undefined;
}

/**
 * By what the workers' latest jobs took, and by how long those that run have taken by now: a long one among many short ones
 * is noticed while it runs. Undefined before the first has ended.
 *
 * @param open jobs that wait or run
 * @param host of whose workers this process's clock tells how long their jobs have run
 * @param now ms since 1970
 */
export function speedOf(
  workers: readonly WorkerStatus[],
  open: number,
  host: string,
  now: number,
): Speed | undefined {
  const busy = workers.filter(({ state }) => state === "busy");
  const known = busy.filter(({ pace }) => pace > 0);
  if (known.length === 0) return undefined;
  const usual = known.reduce((sum, { pace }) => sum + pace, 0) / known.length;
  const paces = busy.map((worker): Pace => {
    const { pace, spread, job } = worker;
    const so = pace > 0 ? { mean: pace, spread } : { mean: usual, spread: usual };
    const runs = worker.host === host && job !== undefined ? (now - Date.parse(job.started)) / 1000 : 0;
    return runs > so.mean ? paceAfter(so, runs) : so;
  });
  const rate = paces.reduce((sum, { mean }) => sum + 1 / mean, 0);
  return { rate, left: paces.every(isSteady) ? open / rate : undefined };
}
