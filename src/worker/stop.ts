import { formatDuration } from "../job/duration.js";
import { type Outcome, outcomeOfStatus } from "../job/outcome.js";
import type { RanEnd } from "./runner.js";

/**
 * Why a worker stops its job. `fired`: the worker leaves now. `fenced`: somebody else may run the job already, or soon (S10).
 * `timed-out`: `after` is the job's limit in seconds. `cancelled`: `by` is `user@host`.
 */
export type Stop =
  | { readonly kind: "fired" }
  | { readonly kind: "fenced" }
  | { readonly kind: "timed-out"; readonly after: number }
  | { readonly kind: "cancelled"; readonly by: string };

/** Exit code that a shell reports for a process that SIGKILL ended: 128 + 9 (POSIX 2.8.2). */
export const KILLED = 137;

/** Line for the log of a job that fjord stopped. A fenced job has none, because the log may belong to another worker now. */
export function describeStop(stop: Stop): string | undefined {
  switch (stop.kind) {
    case "fired":
      return "fjord: stopped: its worker was fired; the job goes back to the queue";
    case "timed-out":
      return `fjord: timed out after ${formatDuration(stop.after)}`;
    case "cancelled":
      return `fjord: cancelled by ${stop.by}`;
    case "fenced":
      return undefined;
    default:
      return stop satisfies never;
  }
}

/**
 * @param problem exit code for a failure of fjord's own work around the command line, such as a logfile that cannot be written
 * @param requeueExit exit code by which the job asks to run again
 */
export function outcomeOf(
  end: RanEnd,
  stop: Stop | undefined,
  problem: number | undefined,
  requeueExit: number | undefined,
): Outcome {
  const isRequeued = end.kind === "exited" && problem === undefined && end.status === requeueExit;
  switch (stop?.kind) {
    case "fired":
      return { kind: "cancelled", reason: "its worker was fired" };
    case "cancelled":
      return { kind: "cancelled", reason: `by ${stop.by}`, by: stop.by };
    case "fenced":
      return { kind: "lost" };
    case "timed-out":
      // A job may use the grace time to write its checkpoint, and then asks to run again.
      return isRequeued ? { kind: "requeued", code: end.status } : { kind: "timed-out", after: stop.after };
    case undefined:
      if (isRequeued) return { kind: "requeued", code: end.status };
      return outcomeOfEnd(end, problem);
    default:
      return stop satisfies never;
  }
}

function outcomeOfEnd(end: RanEnd, problem: number | undefined): Outcome {
  switch (end.kind) {
    case "shell-died":
      return end.byGuardian ? { kind: "lost" } : { kind: "failed", code: KILLED, signal: "SIGKILL" };
    case "exited":
      return outcomeOfStatus(end.status === 0 && problem !== undefined ? problem : end.status);
    default:
      return end satisfies never;
  }
}
