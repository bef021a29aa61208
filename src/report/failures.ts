import { jobName } from "../job/name.js";
import type { Outcome } from "../job/outcome.js";
import { type Closing, Fold, type Run, type RunLine, type ToldJob } from "../ledger/fold.js";
import { parseLines, wholeLines } from "../ledger/line.js";
import type { Layout } from "../project/layout.js";
import { refusalLogOf } from "../spool/refuse.js";
import { factsIfReadable } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import type { Store } from "../store/store.js";

/** A job that lies in `jobfailed/`, and how it failed. */
export interface Failure {
  readonly job: string;
  /** ISO 8601, by the clock of the process that wrote the line. */
  readonly at: string;
  readonly outcome: Outcome;
  /** Undefined if the job was refused. */
  readonly attempt?: number;
  /** Absolute path of the job's output, or of the reason why the job was refused. */
  readonly log: string;
  /** Last line of the output, unchanged; undefined when there is no output, and when the job was refused. */
  readonly lastLine?: string;
}

/** Largest number of failures in the result. */
const MOST = 5;
/** Largest number of ledgers to read, and number of bytes to read at the end of each. The bytes hold a few hundred attempts. */
const LEDGERS = 100;
const LEDGER_TAIL = 64 * 1024;
const LOG_TAIL = 4096;

/** Matches lines that may record a failure, or make a run void. Only these lines are parsed. */
const MAY_MATTER = /"to":"(?:jobfailed|retry)"|"event":"(?:refused|lost|discarded)"/;

/**
 * The last few failures whose job files still lie in `jobfailed/`, the newest first. The cost does not grow with the number of
 * failures, because only the ends of the ledgers are read, beginning with the ledger that grew last. So a failure with many
 * successes after it may be missing.
 *
 * @param files the names in `jobfailed/`
 */
export async function readFailures(site: Site, files: readonly string[]): Promise<Failure[]> {
  const { store, layout } = site;
  if (files.length === 0) return [];
  const lying = new Set(files.map(jobName));
  const fold = new Fold(timesOf);
  const newest = new Map<string, Failure>();
  let last: Failure[] = [];
  for (const { path, changed } of (await ledgers(site)).slice(0, LEDGERS)) {
    const oldest = last.length < MOST ? undefined : last.at(-1);
    if (oldest !== undefined && Date.parse(oldest.at) > changed) break;
    const text = await store.tail(path, LEDGER_TAIL).catch(() => "");
    const touched = new Set<string>();
    for (const line of parseLines(wholeLines(text).filter((one) => MAY_MATTER.test(one)))) {
      if (!("job" in line) || !lying.has(line.job)) continue;
      fold.note(line);
      touched.add(line.job);
    }
    for (const job of touched) {
      const failure = newestFailure(fold.jobs.get(job), layout);
      if (failure === undefined) newest.delete(job);
      else newest.set(job, failure);
    }
    last = [...newest.values()].sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, MOST);
  }
  return Promise.all(last.map((failure) => withLastLine(store, failure)));
}

/** All ledgers, the one that grew last first. `changed`: ms since 1970. */
async function ledgers(site: Site): Promise<{ path: string; changed: number }[]> {
  const { store, layout } = site;
  const found = (await store.list(layout.ledger).catch(() => [])).map(async (name) => {
    const path = layout.ledgerFile(name);
    const facts = await factsIfReadable(store, path);
    return { path, changed: facts?.mtimeMs ?? 0 };
  });
  return (await Promise.all(found)).sort((a, b) => b.changed - a.changed);
}

/** Times of the lines about a run, by event. */
type Times = Partial<Readonly<Record<RunLine["event"], string>>>;

function timesOf({ event, t }: RunLine, before: Times | undefined): Times {
  return { ...before, [event]: t };
}

function newestFailure(told: ToldJob<Times> | undefined, layout: Layout): Failure | undefined {
  const failures = [
    ...[...(told?.runs.values() ?? [])].flatMap((run) => failureOf(run, layout) ?? []),
    ...(told?.closings ?? []).flatMap((closing) => refusalOf(closing, layout) ?? []),
  ];
  return failures.reduce<Failure | undefined>(
    (newest, one) => (newest === undefined || newest.at <= one.at ? one : newest),
    undefined,
  );
}

/** A lost run is a failure only when it took its job to `jobfailed/`. A discarded run is not a failure. */
function failureOf({ job, attempt, end, details }: Run<Times>, layout: Layout): Failure | undefined {
  if (end.kind !== "ended" && end.kind !== "lost") return undefined;
  if (end.to !== "jobfailed" && end.to !== "retry") return undefined;
  const outcome: Outcome = end.kind === "ended" ? end.outcome : { kind: "lost" };
  return { job, at: details[end.kind] ?? "", outcome, attempt, log: layout.attemptLog(job, attempt) };
}

function refusalOf(closing: Closing, layout: Layout): Failure | undefined {
  if (closing.kind !== "refused") return undefined;
  const { job, t, file, reason } = closing;
  return { job, at: t, outcome: { kind: "refused", reason }, log: refusalLogOf(layout, file) };
}

/** Adds the last line of the output. If the job was timed out, fjord wrote the last line, so this takes the line before. */
async function withLastLine(store: Store, failure: Failure): Promise<Failure> {
  const { outcome, log } = failure;
  if (outcome.kind === "refused") return failure;
  const text = await store.tail(log, LOG_TAIL).catch(() => "");
  const lines = text
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const lastLine = lines.at(outcome.kind === "timed-out" ? -2 : -1);
  return lastLine === undefined ? failure : { ...failure, lastLine };
}
