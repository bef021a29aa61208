import { constants } from "node:os";
import { formatDuration } from "./duration.js";
import { visible } from "./quote.js";

/** How an attempt ended. Only one is ever published for an attempt (S6). */
export type Outcome =
  | { readonly kind: "succeeded" }
  /** `code` is the status a shell reports; `signal` is there when it is 128 + a signal's number. */
  | { readonly kind: "failed"; readonly code: number; readonly signal?: string }
  /** `after`: seconds. */
  | { readonly kind: "timed-out"; readonly after: number }
  /** By the exit code that its job file names: it is run again, and that is no failure. */
  | { readonly kind: "requeued"; readonly code: number }
  | { readonly kind: "lost" }
  /** `by`: who asked for it, `user@host`; without it the job was only stopped, and goes back to the queue. */
  | { readonly kind: "cancelled"; readonly reason: string; readonly by?: string }
  | { readonly kind: "refused"; readonly reason: string };

/** What a kind of outcome has to tell besides. */
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

/** The kinds of outcomes. */
export const OUTCOMES = [...DETAILS.keys()] as readonly Outcome["kind"][];

/** Whether something that was read is an outcome. */
export function isOutcome(value: unknown): value is Outcome {
  if (typeof value !== "object" || value === null) return false;
  const outcome = value as Readonly<Record<string, unknown>>;
  if (!DETAILS.has(outcome.kind)) return false;
  const detail = DETAILS.get(outcome.kind);
  return detail === undefined || typeof outcome[detail[0]] === detail[1];
}

/** The first name of a number wins: 6 is SIGABRT, not SIGIOT. */
const signalNames = new Map(
  Object.entries(constants.signals)
    .reverse()
    .map(([name, number]) => [number, name] as const),
);

/**
 * The outcome that a shell's status (0 to 255) tells of. 129 to 159 are read as death by a signal where this
 * platform has one of that number; a program that returns such a number by itself cannot be told apart (POSIX
 * shell, 2.8.2). Throws a RangeError for what no shell reports.
 */
export function outcomeOfStatus(status: number): Outcome {
  if (!Number.isInteger(status) || status < 0 || status > 255)
    throw new RangeError(`no exit status: ${status}`);
  if (status === 0) return { kind: "succeeded" };
  const signal = status >= 129 && status <= 159 ? signalNames.get(status - 128) : undefined;
  return { kind: "failed", code: status, ...(signal !== undefined && { signal }) };
}

/** The exit code that an outcome tells of; undefined where the job did not come to an end of its own. */
export function exitOf(outcome: Outcome | undefined): number | undefined {
  if (outcome?.kind === "succeeded") return 0;
  return outcome?.kind === "failed" || outcome?.kind === "requeued" ? outcome.code : undefined;
}

/** One short line for a person, no full stop: `exit code 3`, `killed by SIGSEGV`, `timed out after 2 h`. */
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
