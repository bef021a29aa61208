/** The facts about a waiting job that decide when its turn comes. */
export interface Turn {
  readonly file: string;
  readonly priority: number;
  /** Modification time of the job's file. It does not change when the file is moved. */
  readonly mtimeMs: number;
}

/**
 * Order in which the dispatcher hands out jobs that it has found together: the higher priority first, then the older file, then
 * by name. A job that returns to the queue later goes behind all jobs of its priority that wait at that time.
 */
export function compareTurns(a: Turn, b: Turn): number {
  return b.priority - a.priority || a.mtimeMs - b.mtimeMs || (a.file < b.file ? -1 : 1);
}
