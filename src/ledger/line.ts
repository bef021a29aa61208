import type { JobResult } from "../job/job-result.js";
import { isOutcome, type Outcome } from "../job/outcome.js";
import type { EndRoom } from "../project/layout.js";

/** Version of the schema in docs/ledger.md. A reader skips lines of a version that the reader does not know. */
export const LEDGER_VERSION = 1;

/** Directory to which S6 moves the job file: the directory of an outcome, the queue, or the retry desk of S9. */
export type Destination = EndRoom | "jobqueue" | "retry";

/** CPU seconds of an attempt, with those of all children that the attempt waited for. */
export interface CpuTime {
  readonly user: number;
  readonly system: number;
}

/** The fields that name one run of one job. */
export interface RunName {
  readonly job: string;
  readonly attempt: number;
  readonly worker: string;
  /**
   * Identity of this run: the worker's id and a count of its runs. An identity is never used again, but an attempt number may be.
   */
  readonly run?: string;
}

/** An event, as the process that writes the line saw it. Times are ISO 8601 by that process's clock, for people to read. */
export type LedgerEvent =
  | { event: "hired"; worker: string; host: string; pid: number; directory: string }
  | { event: "left"; worker: string; reason: string }
  /** `stamp`: the stamp of the job file when the worker claimed the job. */
  | ({ event: "started"; log: string; stamp?: string } & RunName)
  | ({
      event: "ended";
      host: string;
      outcome: Outcome;
      start: string;
      end: string;
      /** Wall time by the worker's monotonic clock. */
      seconds: number;
      cpu: CpuTime | null;
      /** Peak resident memory in bytes; null if the system did not report it while the job ran. */
      memory: number | null;
      /** The values that the job wrote to `$FJORD_RESULT`. */
      result?: JobResult;
      to: Destination;
      /**
       * Inode, modification, change and birth time of the job file. They distinguish the file from other files with the same
       * name.
       */
      stamp: string;
      /** The stamp of the file that was claimed, if the job has replaced its file since. */
      claimed?: string;
    } & RunName)
  | ({ event: "discarded"; reason: string; stamp?: string } & RunName)
  | ({ event: "lost"; reason: string; to: Destination; stamp?: string; claimed?: string } & RunName)
  /** `attempt`: the latest attempt that failed. */
  | { event: "retry"; job: string; attempt: number; to: "jobqueue"; reason: string; stamp?: string }
  /** `stamp`: the stamp of the job file on the retry desk. The rename to `jobfailed/` comes after this line. */
  | { event: "retry"; job: string; attempt: number; to: "jobfailed"; reason: string; stamp: string }
  | { event: "refused"; job: string; file: string; reason: string }
  /**
   * A waiting job was cancelled. `attempt`: the job's last attempt, 0 for none. Only failures after this attempt count from now
   * on. `because`: the job after which this one had to run, if that job is the reason. `stamp`: the stamp of the job file before
   * the move, if there was an attempt.
   */
  | {
      event: "cancelled";
      job: string;
      attempt: number;
      by: string;
      reason: string;
      because?: string;
      stamp?: string;
    }
  | { event: "worker-lost"; worker: string; reason: string }
  | { event: "dispatching"; dispatcher: string; host: string; pid: number }
  | { event: "dispatched"; dispatcher: string; succeeded: number; failed: number; reason: string };

export type LedgerLine = LedgerEvent & { v: number; t: string };

type Field =
  | "job"
  | "attempt"
  | "run"
  | "worker"
  | "host"
  | "outcome"
  | "to"
  | "stamp"
  | "claimed"
  | "reason"
  | "directory";

const text = (value: unknown) => typeof value === "string";
const DESTINATIONS: ReadonlySet<unknown> = new Set([
  "jobdone",
  "jobfailed",
  "jobcancelled",
  "jobqueue",
  "retry",
]);

/** Types of the fields that readers use for decisions. A line in which such a field has a value of another type is skipped. */
const FIELDS: Readonly<Record<Field, (value: unknown) => boolean>> = {
  job: text,
  attempt: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  run: text,
  worker: text,
  host: text,
  outcome: isOutcome,
  to: (value) => DESTINATIONS.has(value),
  stamp: text,
  claimed: text,
  reason: text,
  directory: text,
};

const KINDS = Object.entries(FIELDS);
/** Fields that a line must have, by event. */
const EVENTS: Readonly<Record<LedgerEvent["event"], readonly Field[]>> = {
  hired: ["worker"],
  left: ["worker"],
  started: ["job", "attempt"],
  ended: ["job", "attempt", "outcome", "to"],
  discarded: ["job", "attempt"],
  lost: ["job", "attempt", "to"],
  retry: ["job", "attempt", "to"],
  refused: ["job", "reason"],
  cancelled: ["job", "attempt", "reason"],
  "worker-lost": ["worker"],
  dispatching: [],
  dispatched: [],
};

function isLine(value: unknown): value is LedgerLine {
  if (typeof value !== "object" || value === null) return false;
  const line = value as Readonly<Record<string, unknown>>;
  if (line.v !== LEDGER_VERSION || !text(line.t) || !Object.hasOwn(EVENTS, String(line.event))) return false;
  if (!EVENTS[line.event as LedgerEvent["event"]].every((field) => line[field] !== undefined)) return false;
  return KINDS.every(([field, isOfKind]) => line[field] === undefined || isOfKind(line[field]));
}

/**
 * Identity of the run that a line names. It is unique among the runs of a job. Lines of older versions have only the attempt
 * number.
 */
export function runOf(line: { readonly run?: string; readonly attempt: number }): string {
  return line.run ?? String(line.attempt);
}

/** The lines of a piece of a ledger, not parsed. A last line without a newline is left out, because it is incomplete. */
export function wholeLines(text: string): string[] {
  return text.split("\n").slice(0, -1);
}

/** Parses a piece of a ledger. */
export function parseLedger(text: string): LedgerLine[] {
  return parseLines(wholeLines(text));
}

/**
 * Parses lines of a ledger. Skips lines that are incomplete, not from fjord, of a newer version, or without a field that their
 * event needs. No line may stop a reader, because the directories hold the state.
 */
export function parseLines(texts: readonly string[]): LedgerLine[] {
  const lines: LedgerLine[] = [];
  for (const line of texts) {
    if (line === "") continue;
    try {
      const parsed: unknown = JSON.parse(line);
      if (isLine(parsed)) lines.push(parsed);
    } catch {
      // a crash or a full disk has cut the line off
    }
  }
  return lines;
}
