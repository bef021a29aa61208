import { jobName } from "../job/name.js";
import type { Outcome } from "../job/outcome.js";
import type { Layout } from "../project/layout.js";
import { type LedgerLine, parseLines, wholeLines } from "./ledger.js";
import { refusalLogOf } from "./refuse.js";
import { type FileMark, isStampOf } from "./stamp.js";
import type { Store } from "./store.js";

/** How a job came to lie in `jobfailed/`, as far as its worker's ledger tells. */
export interface Ending {
  readonly outcome?: Outcome;
  readonly attempt?: number;
  /** Absolute path of what it printed, or of why it was refused. */
  readonly log?: string;
}

/** A worker's ledger is read from its end, a little at first: most often the job is one of its last. */
const TAILS = [16 * 1024, 256 * 1024];

/** Asked only of jobs that failed. Whatever cannot be found out is left out. */
export async function endingOf(
  store: Store,
  layout: Layout,
  worker: string,
  file: string,
  mark: FileMark | undefined,
): Promise<Ending> {
  for (const tail of TAILS) {
    const text = await store.tail(layout.ledgerOf(worker), tail).catch(() => "");
    const ending = readEnding(text, layout, file, mark);
    if (ending !== undefined) return ending;
    if (Buffer.byteLength(text) < tail) break; // that was all of it
  }
  return {};
}

/** Only the lines that name the job are parsed. */
function readEnding(
  text: string,
  layout: Layout,
  file: string,
  mark: FileMark | undefined,
): Ending | undefined {
  const job = jobName(file);
  const named = `"job":${JSON.stringify(job)},`;
  for (const line of wholeLines(text).reverse()) {
    if (!line.includes(named)) continue;
    for (const event of parseLines([line])) {
      if (!("job" in event) || event.job !== job) continue; // it is a result that names it
      if (isEndOf(event, mark)) {
        return { outcome: event.outcome, attempt: event.attempt, log: layout.attemptLog(job, event.attempt) };
      }
      if (event.event === "refused" && event.file === file) {
        return { outcome: { kind: "refused", reason: event.reason }, log: refusalLogOf(layout, file) };
      }
    }
  }
  return undefined;
}

/** Of this very file, where it is known. */
function isEndOf(line: LedgerLine, mark: FileMark | undefined): line is LedgerLine & { event: "ended" } {
  return line.event === "ended" && (mark === undefined || isStampOf(line.stamp, mark));
}
