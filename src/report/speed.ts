import { isSteady, type Pace, paceAfter } from "../job/pace.js";
import type { WorkerStatus } from "./status.js";

/** Speed at which jobs end. */
export interface Speed {
  /** Jobs that end in one second. */
  readonly rate: number;
  /** Seconds until all jobs have ended; undefined when the jobs differ too much for an estimate. */
  readonly left: number | undefined;
}

/**
 * Estimates the speed from the durations of the workers' latest jobs, and from the time that the running jobs have taken so far.
 * So the estimate notices a long job among many short ones while it runs. Undefined until the first job has ended.
 *
 * @param open number of jobs that wait or run
 * @param host this host. The running time of a job is known only for workers of this host, because clocks of two hosts are not
 * compared
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
    const past = pace > 0 ? { mean: pace, spread } : { mean: usual, spread: usual };
    const runs = worker.host === host && job !== undefined ? (now - Date.parse(job.started)) / 1000 : 0;
    return runs > past.mean ? paceAfter(past, runs) : past;
  });
  const rate = paces.reduce((sum, { mean }) => sum + 1 / mean, 0);
  return { rate, left: paces.every(isSteady) ? open / rate : undefined };
}
