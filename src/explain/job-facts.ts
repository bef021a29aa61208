import type { RetryVerdict } from "../dispatcher/retry-judgement.js";
import type { Standing } from "../dispatcher/standing.js";
import type { Dependency } from "../job/after.js";
import type { JobPlace, JobState } from "../jobs/places.js";
import type { AttemptRecord, Cancellation } from "../ledger/attempts.js";
import type { WorkerStatus } from "../report/status.js";
import type { EditMark } from "../spool/edit-mark.js";
import type { Liveness } from "../spool/identity.js";

/** One reason why a job is in its state, and what to do about it. */
export interface Reason {
  readonly kind:
    | "invalid"
    | "unsettled"
    | "after"
    | "circle"
    | "nobody-dispatches"
    | "no-worker"
    | "none-free"
    | "in-array"
    | "not-first"
    | "namesake"
    | "on-desk"
    | "held"
    | "backing-off"
    | "running"
    | "worker-dead"
    | "succeeded"
    | "failed"
    | "refused"
    | "cancelled"
    | "next";
  /** A sentence. */
  readonly text: string;
  /** A command or another way to change the state. */
  readonly todo?: string;
}

/** A job for which another job waits. */
export interface Dependent {
  /** Standing of the job, as the dispatcher judges it. */
  readonly standing: Standing;
  /** State of the job or array; undefined when there is no job or array of this name. */
  readonly state: JobState | undefined;
}

/** The facts that decide why a job is in its state. */
export interface JobFacts {
  readonly place: JobPlace;
  /** Whether a dispatcher would accept the file of a job that has not ended. */
  readonly file:
    | { readonly kind: "valid"; readonly after: readonly Dependency[]; readonly retries: number }
    | { readonly kind: "invalid"; readonly reason: string }
    | { readonly kind: "unsettled" | "gone" };
  /** The jobs for which this job waits, by name. */
  readonly dependencies: ReadonlyMap<string, Dependent>;
  /** If the job waits for itself: the names from this job back to it, where each job waits for the next one. */
  readonly circle: readonly string[] | undefined;
  readonly isDispatched: boolean;
  readonly workers: readonly WorkerStatus[];
  /**
   * Number of jobs in the queue that start before this one. If the job has returned to the queue, this is the largest possible
   * number. Undefined when the queue is too long to be read.
   */
  readonly before: number | undefined;
  readonly queued: number;
  /** For elements of an array that have no job file yet: number of elements that become jobs before them. */
  readonly beforeInArray: number | undefined;
  /** State of another job with the same name, which comes first. */
  readonly namesake: JobState | undefined;
  /** The edit for which a job is held. */
  readonly edit?: (EditMark & { readonly holder: Liveness }) | undefined;
  readonly attempts: readonly AttemptRecord[];
  readonly refusal: string | undefined;
  readonly cancellation: Cancellation | undefined;
  /** The dispatcher's decision about a job that waits for its next attempt. */
  readonly retry: RetryVerdict | undefined;
  /** Working directory of the last attempt. */
  readonly directory: string | undefined;
  /** Last line of output of the last attempt. */
  readonly lastLine: string;
  /**
   * Returns the job that a person should retry. For a job that was cancelled because another job failed, this is the other job.
   * Otherwise it is the job itself.
   */
  toRetry(job: string): string;
  /** Adds the name of the project to a command, if it is needed. */
  toType(command: string): string;
}
