import { backoffAfter } from "../job/backoff.js";

/** The facts about a job on the retry desk that decide whether it runs again. */
export interface RetryFacts {
  /** Failed attempts since the job was last put into the queue. */
  readonly failed: number;
  /** Whether the last attempt asked fjord to run the job again. */
  readonly requeued: boolean;
  /** Retries that the job file allows. */
  readonly retries: number;
}

/** Decision about a job on the retry desk. `backoff`: seconds between the end of the last attempt and the next attempt. */
export type RetryVerdict =
  /** The job asked fjord to run it again. This does not count as a failure. */
  | { readonly kind: "requeue"; readonly backoff: number }
  /** The job has not failed. It came to the retry desk because another job with the same name was in the queue. */
  | { readonly kind: "return"; readonly backoff: 0 }
  /** The next attempt is number `attempt` of at most `of` attempts. Only failures count. */
  | { readonly kind: "again"; readonly backoff: number; readonly attempt: number; readonly of: number }
  | { readonly kind: "given-up"; readonly reason: string };

/**
 * S9: decides whether a job on the retry desk runs again. The function is pure.
 *
 * @param firstBackoff seconds to wait after the first failure
 */
export function judgeRetry({ failed, requeued, retries }: RetryFacts, firstBackoff: number): RetryVerdict {
  // The backoff does not grow here. A job that asks again many times must not wait longer and longer, but it must not return
  // without a pause.
  if (requeued) return { kind: "requeue", backoff: firstBackoff };
  if (failed > retries) {
    return { kind: "given-up", reason: `all ${failed} attempts failed (retries: ${retries})` };
  }
  if (failed === 0) return { kind: "return", backoff: 0 };
  return { kind: "again", backoff: backoffAfter(failed, firstBackoff), attempt: failed + 1, of: retries + 1 };
}
