import type { JobResult } from "../job/job-result.js";
import type { Outcome } from "../job/outcome.js";
import type { Layout } from "../project/layout.js";
import type { Site } from "../store/site.js";
import type { FileMark } from "../store/stamp.js";
import { type Closing, Fold, type Run, type RunLine } from "./fold.js";
import { Ledgers } from "./ledgers.js";
import { type CpuTime, type Destination, runOf } from "./line.js";
import { byNumber, byTime, lifeOf, livesOf } from "./lives.js";

/** One run of a job, as the ledgers record it. */
export interface AttemptRecord {
  readonly job: string;
  readonly attempt: number;
  /** Identity of this run, which is never used again. */
  readonly run: string;
  /** Identity of the job's life: that of the first run of the job's file. A later job with the same name has another life. */
  readonly life: string;
  readonly worker: string;
  readonly host?: string;
  /** Directory in which the worker was hired. The job ran there, or in its `workdir`, which is relative to this directory. */
  readonly directory?: string;
  /** ISO 8601, by the worker's clock. */
  readonly start: string;
  readonly end?: string;
  /** Wall time, by the worker's monotonic clock. */
  readonly seconds?: number;
  /** Undefined while the attempt runs, or until the death of its worker is found out. */
  readonly outcome?: Outcome;
  readonly cpu?: CpuTime | null;
  /** Peak resident memory, bytes. */
  readonly memory?: number | null;
  /** The values that the job wrote to `$FJORD_RESULT`. */
  readonly result?: JobResult;
  /** Directory to which the job file went with that outcome. */
  readonly to?: Destination;
  /**
   * Absolute path of the output. Undefined when a later job with the same name had an attempt of this number, so that the file
   * belongs to that job.
   */
  readonly log?: string;
}

export interface Cancellation {
  readonly t: string;
  readonly reason: string;
  /** The job that this one had to run after, and that did not succeed. */
  readonly because?: string;
}

/** The history of some jobs, as the ledgers record it. */
export interface JobHistory {
  /** All attempts, by job: one life after the other, and the attempts of a life in the order of their numbers. */
  readonly attempts: ReadonlyMap<string, readonly AttemptRecord[]>;
  /** The attempts of the life of one file, in the order of their numbers. */
  attemptsOf(job: string, file: FileMark): AttemptRecord[];
  /** The last cancellation of a job that waited, by job. */
  readonly cancellations: ReadonlyMap<string, Cancellation>;
  /** The last refusal of a job file, by job. */
  readonly refusals: ReadonlyMap<string, { readonly t: string; readonly reason: string }>;
}

type Draft = { -readonly [K in keyof AttemptRecord]: AttemptRecord[K] };

/** Host and directory in which a worker was hired. */
interface Hired {
  readonly host: string;
  readonly directory: string;
}

/**
 * Reads all ledgers.
 *
 * @param wanted whether to keep the history of a job; of all jobs by default
 */
export async function readHistory(
  site: Site,
  wanted: (job: string) => boolean = () => true,
): Promise<JobHistory> {
  const fold = new Fold((line, before: Draft | undefined) => withMeasures(line, before ?? draftOf(line)));
  const hired = new Map<string, Hired>();
  for await (const line of new Ledgers(site).read()) {
    if (line.event === "hired") hired.set(line.worker, line);
    if ("job" in line && wanted(line.job)) fold.note(line);
  }
  const attempts = new Map<string, AttemptRecord[]>();
  const refusals = new Map<string, { t: string; reason: string }>();
  const cancellations = new Map<string, Cancellation>();
  for (const [job, { runs, closings }] of fold.jobs) {
    const refusal = lastOf(closings, "refused");
    if (refusal !== undefined) refusals.set(job, refusal);
    const cancellation = lastOf(closings, "cancelled");
    if (cancellation !== undefined) cancellations.set(job, cancellation);
    for (const run of runs.values()) complete(run, site.layout, hired);
    if (runs.size > 0) attempts.set(job, inLives([...runs.values()]));
  }
  const attemptsOf = (job: string, file: FileMark) =>
    lifeOf([...(fold.jobs.get(job)?.runs.values() ?? [])], file)
      .sort(byNumber)
      .map(({ details }) => details);
  return { attempts, attemptsOf, refusals, cancellations };
}

function draftOf(line: RunLine): Draft {
  const { job, attempt, worker, t } = line;
  const run = runOf(line);
  return { job, attempt, run, life: run, worker, start: t, log: "" };
}

function withMeasures(line: RunLine, draft: Draft): Draft {
  if (line.event !== "ended") return draft;
  const { host, end, seconds, cpu, memory, outcome, result, to } = line;
  return Object.assign(draft, { host, end, seconds, cpu, memory, outcome, ...(result && { result }), to });
}

/** Completes a record when all lines have been read. If the outcome was never published, the record gets the outcome `lost`. */
function complete(
  { details, start, end }: Run<Draft>,
  layout: Layout,
  hired: ReadonlyMap<string, Hired>,
): void {
  details.start = start;
  details.log = layout.attemptLog(details.job, details.attempt);
  if (end.kind === "discarded" || end.kind === "lost") {
    details.outcome = { kind: "lost" };
    delete details.result;
    delete details.to;
    if (end.kind === "lost") details.to = end.to;
  }
  const { host, directory } = hired.get(details.worker) ?? {};
  if (host) details.host = host;
  if (directory) details.directory = directory;
}

/** The records of a job, ordered by life. */
function inLives(runs: readonly Run<Draft>[]): AttemptRecord[] {
  const lives = livesOf(runs).map((life) => life.sort(byNumber));
  lives.sort(([a], [b]) => (a && b ? byTime(a, b) : 0));
  for (const life of lives) for (const { details } of life) details.life = life[0]?.run ?? "";
  return withOwnLogs(lives.flat().map(({ details }) => details));
}

/** Keeps the log of each attempt number only in the last life that used the number. */
function withOwnLogs(attempts: Draft[]): AttemptRecord[] {
  if (attempts.length < 2) return attempts;
  const last = new Map(attempts.map((one) => [one.attempt, one]));
  for (const one of attempts) if (last.get(one.attempt) !== one) delete one.log;
  return attempts;
}

/** The latest closing of a kind, by the clocks of the hosts that recorded the closings. */
function lastOf<K extends Closing["kind"]>(
  closings: readonly Closing[],
  kind: K,
): Extract<Closing, { kind: K }> | undefined {
  let last: Extract<Closing, { kind: K }> | undefined;
  for (const one of closings) {
    if (isOfKind(one, kind) && (last === undefined || last.t < one.t)) last = one;
  }
  return last;
}

function isOfKind<K extends Closing["kind"]>(one: Closing, kind: K): one is Extract<Closing, { kind: K }> {
  return one.kind === kind;
}
