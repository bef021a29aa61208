/**
 * Whether all jobs have ended, as far as the dispatcher knows.
 *
 *     open ──nothing is left──▶ perhaps ──a look at everything finds nothing──▶ over
 *       ▲                          │                                            │
 *       └───────────────────────── a job is found ──────────────────────────────┘
 */
export type AllEnded =
  /** Jobs wait or run, or none has come yet. */
  | { readonly kind: "open" }
  /** Since the time `since` (monotonic, ms), every look has found no job that waits or runs. One such look proves nothing. */
  | { readonly kind: "perhaps"; readonly since: number }
  /** All jobs have ended, and the caller knows that. */
  | { readonly kind: "over" };

export const OPEN: AllEnded = { kind: "open" };

/** Counts of the jobs that have not ended, as the last looks found them. */
export interface Left {
  readonly onDesks: number;
  readonly onRetryDesk: number;
  /** Jobs in the queue, files there that may become jobs, and elements of arrays that have no job file yet. */
  readonly waiting: number;
  /** None of the waiting jobs could be handed out, because each waits for other jobs. */
  readonly areAllBlocked: boolean;
  /** Whether the dispatcher knows of a change that no listing has shown yet. */
  readonly isUnseen: boolean;
}

/** Whether no job waits or runs. A job that waits for a job that does not exist would wait for ever, so it does not count. */
export function isNothingLeft({ onDesks, onRetryDesk, waiting, areAllBlocked, isUnseen }: Left): boolean {
  return onDesks + onRetryDesk === 0 && !isUnseen && (waiting === 0 || areAllBlocked);
}

/** Whether there are jobs that have not ended. After `over`, blocked jobs do not count. */
export function hasJobs(before: AllEnded, left: Left): boolean {
  if (left.onDesks + left.onRetryDesk + left.waiting === 0) return false;
  return before.kind !== "over" || !isNothingLeft(left);
}

/**
 * Returns the state after a pass. The function is pure.
 *
 * @param hasBegun whether the dispatcher has seen a job since all jobs last ended
 * @param now monotonic, ms
 */
export function judgeEnd(before: AllEnded, left: Left, hasBegun: boolean, now: number): AllEnded {
  if (!isNothingLeft(left)) return OPEN;
  if (!hasBegun || before.kind === "perhaps") return before;
  return { kind: "perhaps", since: now };
}

/**
 * Time in ms until another look at all directories can prove that all jobs have ended. On a network file system, caches may show
 * an old state for the settle time.
 *
 * @param settle ms
 */
export function untilProof(end: AllEnded, now: number, settle: number): number {
  return end.kind === "perhaps" ? end.since + settle - now : Number.POSITIVE_INFINITY;
}
