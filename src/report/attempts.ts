import type { JobResult } from "../job/job-result.js";
import type { Outcome } from "../job/outcome.js";
import type { Layout } from "../project/layout.js";
import type { CpuTime, Destination } from "../spool/ledger.js";
import { Ledgers } from "../spool/ledgers.js";
import type { Store } from "../spool/store.js";

/** One run of a job, as the ledgers tell of it. */
export interface AttemptRecord {
  readonly job: string;
  readonly attempt: number;
  readonly worker: string;
  readonly host?: string;
  /** Where its worker was hired: the job ran there, or in its `workdir`, which is relative to it. */
  readonly directory?: string;
  /** ISO 8601, by the worker's clock. */
  readonly start: string;
  readonly end?: string;
  /** Wall time, by the worker's monotonic clock. */
  readonly seconds?: number;
  /** Undefined: it runs, or nobody has found out yet that its worker is dead. */
  readonly outcome?: Outcome;
  readonly cpu?: CpuTime | null;
  /** Peak resident memory, bytes. */
  readonly memory?: number | null;
  /** What the job said has come out of it. */
  readonly result?: JobResult;
  /** Where the job file went with that outcome. */
  readonly to?: Destination;
  /** What it printed: absolute path. */
  readonly log: string;
}

export interface Cancellation {
  readonly t: string;
  readonly reason: string;
  /** The job that it was to run after, and that did not succeed. */
  readonly because?: string;
}

/** What the ledgers tell of some jobs. */
export interface JobHistory {
  /** In the order of their numbers, by job. */
  readonly attempts: ReadonlyMap<string, readonly AttemptRecord[]>;
  /** Why a job that waited was cancelled, by job: the last word. */
  readonly cancellations: ReadonlyMap<string, Cancellation>;
  /** When and why a job file was refused, by job: the last time. */
  readonly refusals: ReadonlyMap<string, { readonly t: string; readonly reason: string }>;
}

type Draft = { -readonly [K in keyof AttemptRecord]: AttemptRecord[K] } & { void?: boolean };

/**
 * Reads all ledgers. They are read one after the other, not in the order of time; attempt numbers put them in order.
 *
 * @param wanted only these jobs are remembered
 */
export async function readHistory(
  store: Store,
  layout: Layout,
  wanted: (job: string) => boolean = () => true,
): Promise<JobHistory> {
  const drafts = new Map<string, Map<number, Draft>>();
  const refusals = new Map<string, { t: string; reason: string }>();
  const cancellations = new Map<string, Cancellation>();
  const hired = new Map<string, { host: string; directory: string }>();
  const draft = (line: { t: string; job: string; attempt: number; worker: string }): Draft => {
    const { job, attempt, worker, t } = line;
    const ofJob = drafts.get(job) ?? new Map<number, Draft>();
    drafts.set(job, ofJob);
    const one = ofJob.get(attempt) ?? {
      job,
      attempt,
      worker,
      start: t,
      log: layout.attemptLog(job, attempt),
    };
    ofJob.set(attempt, one);
    return one;
  };
  for await (const line of new Ledgers(store, layout).read()) {
    if (line.event === "hired") hired.set(line.worker, line);
    if (!("job" in line) || !wanted(line.job)) continue;
    switch (line.event) {
      case "started":
        draft(line).start = line.t;
        break;
      case "ended": {
        const one = draft(line);
        const { host, start, end, seconds, cpu, memory, result, to } = line;
        Object.assign(one, { host, start, end, seconds, cpu, memory });
        if (one.void !== true) Object.assign(one, { outcome: line.outcome, ...(result && { result }), to });
        break;
      }
      // What a lost worker's own ledger says of this attempt was never published.
      case "lost":
        Object.assign(draft(line), { void: true, outcome: { kind: "lost" }, to: line.to });
        delete draft(line).result;
        break;
      case "discarded":
        Object.assign(draft(line), { void: true, outcome: { kind: "lost" } });
        delete draft(line).result;
        break;
      case "refused":
        keepLater(refusals, line);
        break;
      case "cancelled":
        keepLater(cancellations, line);
        break;
      case "retry":
        break;
      default:
        line satisfies never; // of another kind, and has a job all the same
    }
  }
  const attempts = new Map<string, AttemptRecord[]>();
  for (const [job, ofJob] of drafts) {
    const inOrder = [...ofJob.values()].sort((a, b) => a.attempt - b.attempt);
    for (const one of inOrder) {
      delete one.void;
      const { host, directory } = hired.get(one.worker) ?? {};
      Object.assign(one, { ...(host && { host }), ...(directory && { directory }) });
    }
    attempts.set(job, inOrder);
  }
  return {
    attempts,
    refusals,
    cancellations,
  };
}

function keepLater<L extends { t: string }>(last: Map<string, L>, line: L & { job: string }): void {
  const before = last.get(line.job);
  if (before === undefined || before.t < line.t) last.set(line.job, line);
}
