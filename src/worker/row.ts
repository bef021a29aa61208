import type { Pace } from "../job/pace.js";

/** How the worker takes jobs from its desk. */
interface RowSize {
  /** Largest number of jobs that the worker claims together and hands to its runner together: a row. */
  readonly jobs: number;
  /** Largest number of rows in the lane. */
  readonly rows: number;
}

/** Jobs that take longer than this on average, in seconds, come in rows of one. */
const SHORT = 0.02;
/** Time in seconds that a row of short jobs takes. */
const ROW_TIME = 0.032;
/** Largest number of jobs in a row. What a SIGKILL of the worker costs grows with it. */
const ROW_LENGTH = 16;
/** Jobs that take longer than this, in seconds, are claimed only when their turn comes, so that an idle worker can get them. */
const LONG = 0.5;

/** One job at a time. */
export const SINGLE: RowSize = { jobs: 1, rows: 1 };

/**
 * Several short jobs are claimed and handed over at once, because the worker's own work for one of them takes as long as the job.
 * While one row runs, the next one is prepared, so that the runner always has work.
 *
 * @param pace of the worker's last jobs
 */
export function rowOf({ mean }: Pace): RowSize {
  if (mean === 0 || mean > LONG) return SINGLE;
  if (mean > SHORT) return { jobs: 1, rows: 2 };
  return { jobs: Math.min(ROW_LENGTH, Math.max(1, Math.floor(ROW_TIME / mean))), rows: 2 };
}

/**
 * Splits a row. A job that has to be alone becomes a part of its own, and so does the second one of two jobs with the same logfile,
 * because the worker sees by the logfile's times which of them has written it.
 */
export function partsOf<T extends { readonly isAlone: boolean; readonly logfile: string | undefined }>(
  row: readonly T[],
): T[][] {
  const parts: T[][] = [];
  for (const one of row) {
    const last = parts.at(-1);
    const fits = last?.every(
      (other) => !other.isAlone && (other.logfile === undefined || other.logfile !== one.logfile),
    );
    if (last !== undefined && fits && !one.isAlone) last.push(one);
    else parts.push([one]);
  }
  return parts;
}
