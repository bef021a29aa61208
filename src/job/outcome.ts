import { constants } from "node:os";
import { formatDuration } from "./duration.js";
import { visible } from "./quote.js";

/** How an attempt ended. At most one outcome is published for an attempt (S6). */
export type Outcome =
  | { readonly kind: "succeeded" }
  /** `code`: the exit status that a shell reports. `signal` is set when the status is 128 plus a signal's number. */
  | { readonly kind: "failed"; readonly code: number; readonly signal?: string }
  /** `after`: the timeout, in seconds. */
  | { readonly kind: "timed-out"; readonly after: number }
  /** The job ended with its `requeue_exit`. So it runs again, and the attempt does not count as failed. */
  | { readonly kind: "requeued"; readonly code: number }
  | { readonly kind: "lost" }
  /** `by`: the user who cancelled the job, `user@host`. Without `by` the job was only stopped and goes back to the queue. */
  | { readonly kind: "cancelled"; readonly reason: string; readonly by?: string }
  | { readonly kind: "refused"; readonly reason: string };

/** Field that each kind of outcome has, with its type. */
const DETAILS: ReadonlyMap<unknown, readonly [field: string, type: "number" | "string"] | undefined> =
  new Map<unknown, readonly [string, "number" | "string"] | undefined>([
    ["succeeded", undefined],
    ["failed", ["code", "number"]],
    ["timed-out", ["after", "number"]],
    ["requeued", ["code", "number"]],
    ["lost", undefined],
    ["cancelled", ["reason", "string"]],
    ["refused", ["reason", "string"]],
  ]);

/** All kinds of outcomes. */
export const OUTCOMES = [...DETAILS.keys()] as readonly Outcome["kind"][];

/** Whether a value that was read from a file is an outcome. */
export function isOutcome(value: unknown): value is Outcome {
  if (typeof value !== "object" || value === null) return false;
  const outcome = value as Readonly<Record<string, unknown>>;
  if (!DETAILS.has(outcome.kind)) return false;
  const detail = DETAILS.get(outcome.kind);
  return detail === undefined || typeof outcome[detail[0]] === detail[1];
}

/** Names of signals by number. A number with two names gets its first: 6 is SIGABRT, not SIGIOT. */
const signalNames = new Map(
  Object.entries(constants.signals)
    .reverse()
    .map(([name, number]) => [number, name] as const),
);

/**
 * The outcome for an exit status of a shell, 0 to 255. A status from 129 to 159 means death by a signal, if the platform has a
 * signal of that number. fjord cannot distinguish this from a program that returns such a number itself (POSIX shell, 2.8.2).
 *
 * @throws RangeError for any other number
 */
export function outcomeOfStatus(status: number): Outcome {
  if (!Number.isInteger(status) || status < 0 || status > 255)
    throw new RangeError(`no exit status: ${status}`);
  if (status === 0) return { kind: "succeeded" };
  const signal = status >= 129 && status <= 159 ? signalNames.get(status - 128) : undefined;
  return { kind: "failed", code: status, ...(signal !== undefined && { signal }) };
}

/** Exit code of a job that ended by itself; undefined for other outcomes. */
export function exitOf(outcome: Outcome | undefined): number | undefined {
  if (outcome?.kind === "succeeded") return 0;
  return outcome?.kind === "failed" || outcome?.kind === "requeued" ? outcome.code : undefined;
}

/** Short text for people, without a full stop: `exit code 3`, `killed by SIGSEGV`, `timed out after 2 h`. */
export function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case "succeeded":
      return "succeeded";
    case "failed":
      return outcome.signal === undefined ? `exit code ${outcome.code}` : `killed by ${outcome.signal}`;
    case "timed-out":
      return `timed out after ${formatDuration(outcome.after)}`;
    case "requeued":
      return `exit code ${outcome.code}: to be run again`;
    case "lost":
      return "lost with its worker";
    case "cancelled":
      return withReason("cancelled", outcome.reason);
    case "refused":
      return withReason("refused", outcome.reason);
    default: {
      const unknown: never = outcome;
      throw new Error(`unknown outcome: ${JSON.stringify(unknown)}`);
    }
  }
}

function withReason(what: string, reason: string): string {
  return reason === "" ? what : `${what}: ${visible(reason)}`;
}
