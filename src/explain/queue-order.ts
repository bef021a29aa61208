import { compareTurns, type Turn } from "../dispatcher/job-order.js";

/** Numbers of jobs that the dispatcher hands out before a job in the queue. */
export interface JobsBefore {
  readonly before: number;
  /**
   * The largest possible number, for a job that has returned to the queue. The dispatcher puts such a job behind all jobs of its
   * priority that wait at the time of the return, and no file records this time.
   */
  readonly atMost: number;
}

/** Counts the jobs before each waiting job, in the dispatcher's own order. The function is pure. @returns counts by job file */
export function jobsBefore(waiting: readonly Turn[]): ReadonlyMap<string, JobsBefore> {
  const inOrder = waiting.toSorted(compareTurns);
  const counts = new Map<string, JobsBefore>();
  let last = inOrder.length - 1;
  for (const [index, { file, priority }] of [...inOrder.entries()].reverse()) {
    if (priority !== inOrder[last]?.priority) last = index;
    counts.set(file, { before: index, atMost: last });
  }
  return counts;
}
