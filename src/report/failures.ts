import { jobName } from "../job/name.js";
import type { Outcome } from "../job/outcome.js";
import type { Layout } from "../project/layout.js";
import { parseLines, wholeLines } from "../spool/ledger.js";
import { refusalLogOf } from "../spool/refuse.js";
import type { Store } from "../spool/store.js";

/** A job that lies in `jobfailed/`, and how it came there. */
export interface Failure {
  readonly job: string;
  /** ISO 8601, by the clock of whoever noted it. */
  readonly at: string;
  readonly outcome: Outcome;
  /** Undefined: it was refused. */
  readonly attempt?: number;
  /** Absolute path of what it printed, or of why it was refused. */
  readonly log: string;
  /** What it printed last, as it is; undefined when it printed nothing, or was refused. */
  readonly lastLine?: string;
}

/** Failures that are told of. */
const TOLD = 5;
/** Ledgers that are looked into, and bytes at the end of each: some hundred attempts. */
const LEDGERS = 100;
const LEDGER_TAIL = 64 * 1024;
const LOG_TAIL = 4096;

/** Of a ledger's lines those that may tell of a failure: only they are parsed. */
const FAILED = /"to":"(?:jobfailed|retry)"|"event":"refused"/;

/**
 * The last few failures of which the file still lies in `jobfailed/`, the newest first. What it costs does not grow with
 * their number: the ends of the ledgers tell, the one that grew last first. So a failure with many successes behind it may
 * be missing.
 *
 * @param files the names in `jobfailed/`
 */
export async function readFailures(
  store: Store,
  layout: Layout,
  files: readonly string[],
): Promise<Failure[]> {
  if (files.length === 0) return [];
  const lying = new Set(files.map(jobName));
  const newest = new Map<string, Failure>();
  let last: Failure[] = [];
  for (const { path, changed } of (await ledgers(store, layout)).slice(0, LEDGERS)) {
    const oldest = last.length < TOLD ? undefined : last.at(-1);
    if (oldest !== undefined && Date.parse(oldest.at) > changed) break;
    for (const failure of failuresIn(await store.tail(path, LEDGER_TAIL).catch(() => ""), layout)) {
      const { job, at } = failure;
      if (lying.has(job) && (newest.get(job)?.at ?? "") <= at) newest.set(job, failure);
    }
    last = [...newest.values()].sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, TOLD);
  }
  return Promise.all(last.map((failure) => withLastLine(store, failure)));
}

/** The ledger that grew last comes first. `changed`: ms since 1970. */
async function ledgers(store: Store, layout: Layout): Promise<{ path: string; changed: number }[]> {
  const found = (await store.list(layout.ledger).catch(() => [])).map(async (name) => {
    const path = layout.ledgerFile(name);
    const facts = await store.facts(path).catch(() => undefined);
    return { path, changed: facts?.mtimeMs ?? 0 };
  });
  return (await Promise.all(found)).sort((a, b) => b.changed - a.changed);
}

function* failuresIn(text: string, layout: Layout): Generator<Failure> {
  for (const line of parseLines(wholeLines(text).filter((one) => FAILED.test(one)))) {
    if (line.event === "refused") {
      const { job, t, file, reason } = line;
      yield { job, at: t, outcome: { kind: "refused", reason }, log: refusalLogOf(layout, file) };
    } else if (line.event === "ended" || line.event === "lost") {
      const { job, t, attempt } = line;
      const outcome: Outcome = line.event === "ended" ? line.outcome : { kind: "lost" };
      yield { job, at: t, outcome, attempt, log: layout.attemptLog(job, attempt) };
    }
  }
}

/** Of a job that was timed out, what it printed itself; that fjord stopped it is known. */
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
