import type { Outcome } from "../job/outcome.js";
import { type Destination, type LedgerLine, runOf } from "./line.js";
import type { Ordered, Told } from "./lives.js";

/**
 * How a run has ended, according to the lines read so far. A later line may replace an end only by the same kind, or by a kind
 * further down in this list. So a run that was discarded or lost stays void, in whatever order the ledgers are read.
 */
type RunEnd =
  /** No line records an end. The run goes on, or no process has found out yet that its worker is dead. */
  | { readonly kind: "open" }
  /** The worker has recorded the outcome. The rename that publishes the outcome comes after the line (S6). */
  | {
      readonly kind: "ended";
      readonly outcome: Outcome;
      readonly to: Destination;
      /** Stamp of the job file; undefined when the line has none. */
      readonly stamp: string | undefined;
    }
  /** The run is void. The job was taken away from the worker, which has published nothing. */
  | { readonly kind: "discarded" }
  /** The run is void. The worker was declared lost, and has published nothing. `to`: the directory to which S8 moved the job. */
  | {
      readonly kind: "lost";
      readonly to: Destination;
      readonly stamp: string | undefined;
    };

/** One run of a job. */
export interface Run<Details = undefined> extends Ordered {
  readonly job: string;
  /** Identity of the run, which is never used again. */
  readonly run: string;
  /** Stamps of the job's file, the one of the claimed file first. */
  readonly stamps: readonly string[];
  readonly end: RunEnd;
  readonly details: Details;
}

/** A decision that ends a job without a run: the job was given up, cancelled or refused. */
export type Closing = Told & {
  readonly job: string;
  readonly t: string;
} & (
    | { readonly kind: "given-up"; readonly attempt: number }
    | {
        readonly kind: "cancelled";
        /** The last attempt before the cancellation, 0 for none. */
        readonly attempt: number;
        readonly reason: string;
        /** The job that this one had to run after, and that did not succeed. */
        readonly because?: string;
      }
    | { readonly kind: "refused"; readonly file: string; readonly reason: string }
  );

/** Runs of all jobs of one name, and decisions about these jobs, according to the lines read so far. */
export interface ToldJob<Details = undefined> {
  /** The runs by their identities. */
  readonly runs: ReadonlyMap<string, Run<Details>>;
  /** The decisions in the order of reading. */
  readonly closings: readonly Closing[];
}

/** A line about one run. */
export type RunLine = LedgerLine & { event: "started" | "ended" | "discarded" | "lost" };

type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface JobDraft<Details> {
  readonly runs: Map<string, Writable<Run<Details>>>;
  readonly closings: Closing[];
}

const OPEN: RunEnd = { kind: "open" };
const DISCARDED: RunEnd = { kind: "discarded" };
/** Rank of an end. An end of a higher rank stays, even if a later line records an end of a lower rank. */
const RANK: Readonly<Record<RunEnd["kind"], number>> = { open: 0, ended: 1, discarded: 2, lost: 3 };

/**
 * Folds ledger lines into runs and closings, by job. Ledgers are read one after the other, not in the order of time. So the
 * result must not depend on which of two ledgers is read first. Every reader of ledger lines uses this fold. To save memory, a
 * reader passes in only the lines that it needs.
 */
export class Fold<Details = undefined> {
  readonly #detailsOf: (line: RunLine, before: Details | undefined) => Details;
  readonly #jobs = new Map<string, JobDraft<Details>>();

  /** @param detailsOf returns the details that a run keeps besides its end. `before`: the details from earlier lines */
  constructor(detailsOf: (line: RunLine, before: Details | undefined) => Details) {
    this.#detailsOf = detailsOf;
  }

  get jobs(): ReadonlyMap<string, ToldJob<Details>> {
    return this.#jobs;
  }

  /** @returns the run or the closing that the line is about. Later lines about the run change the same object. */
  note(line: LedgerLine): Run<Details> | Closing | undefined {
    switch (line.event) {
      case "started":
      case "ended":
      case "discarded":
      case "lost":
        return this.#noteRun(line);
      case "retry": {
        if (line.to !== "jobfailed") return undefined;
        const { job, t, attempt, stamp } = line;
        return this.#close({ kind: "given-up", job, t, attempt, stamps: listOf(stamp) });
      }
      case "cancelled": {
        const { job, t, attempt, reason, because, stamp } = line;
        const why = { reason, ...(because !== undefined && { because }) };
        return this.#close({ kind: "cancelled", job, t, attempt, ...why, stamps: listOf(stamp) });
      }
      case "refused": {
        const { job, t, file, reason } = line;
        return this.#close({ kind: "refused", job, t, file, reason, stamps: [] });
      }
      case "hired":
      case "left":
      case "worker-lost":
      case "dispatching":
      case "dispatched":
        return undefined;
      default:
        return line satisfies never;
    }
  }

  /** Forgets a job. The next line about the job begins from nothing. */
  forget(job: string): void {
    this.#jobs.delete(job);
  }

  #noteRun(line: RunLine): Run<Details> {
    const { runs } = this.#jobOf(line.job);
    const id = runOf(line);
    const before = runs.get(id);
    const details = this.#detailsOf(line, before?.details);
    const { job, attempt, t } = line;
    const run = before ?? { job, attempt, run: id, start: t, stamps: [], end: OPEN, details };
    if (before === undefined) runs.set(id, run);
    run.details = details;
    if (line.event === "started") run.start = t;
    else if (line.event === "ended") run.start = line.start;
    if ("claimed" in line) addStamp(run, line.claimed);
    const end = endOf(line, addStamp(run, line.stamp));
    if (RANK[end.kind] >= RANK[run.end.kind]) run.end = end;
    return run;
  }

  #close(closing: Closing): Closing {
    this.#jobOf(closing.job).closings.push(closing);
    return closing;
  }

  #jobOf(job: string): JobDraft<Details> {
    let told = this.#jobs.get(job);
    if (told === undefined) {
      told = { runs: new Map(), closings: [] };
      this.#jobs.set(job, told);
    }
    return told;
  }
}

function endOf(line: RunLine, stamp: string | undefined): RunEnd {
  switch (line.event) {
    case "started":
      return OPEN;
    case "ended":
      return { kind: "ended", outcome: line.outcome, to: line.to, stamp };
    case "discarded":
      return DISCARDED;
    case "lost":
      return { kind: "lost", to: line.to, stamp };
    default:
      return line satisfies never;
  }
}

/** @returns the text that the run keeps. The caller uses it instead of its equal copy, to save memory */
function addStamp(run: Writable<Pick<Run, "stamps">>, stamp: string | undefined): string | undefined {
  if (!stamp) return undefined;
  const kept = run.stamps.find((one) => one === stamp);
  if (kept === undefined) run.stamps = [...run.stamps, stamp]; // a push would reserve room for 17
  return kept ?? stamp;
}

function listOf(stamp: string | undefined): string[] {
  return stamp ? [stamp] : [];
}
