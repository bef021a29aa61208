/** How the worker takes jobs from its desk. */
interface RowSize {
  /** Largest number of jobs that the worker claims together and hands to its runner together: a row. */
  readonly jobs: number;
  /** Largest number of rows in the lane. */
  readonly rows: number;
}

/**
 * One job at a time. More rows in the lane would save a short job most of the worker's own work. But a job's directory and logfile
 * have to be checked after the jobs before it have ended, and a note about a job that waits in the lane has to reach it.
 */
export const ROW: RowSize = { jobs: 1, rows: 1 };

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
