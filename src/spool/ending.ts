import { jobName } from "../job/name.js";
import type { Outcome } from "../job/outcome.js";
import { type Closing, Fold, type Run } from "../ledger/fold.js";
import { parseLines, wholeLines } from "../ledger/line.js";
import { tails } from "../ledger/tails.js";
import type { Layout } from "../project/layout.js";
import type { Site } from "../store/site.js";
import { type FileMark, isStampOf } from "../store/stamp.js";
import { refusalLogOf } from "./refuse.js";

/** How a job in `jobfailed/` failed, as far as its worker's ledger records it. */
export interface Ending {
  readonly outcome?: Outcome;
  readonly attempt?: number;
  /** Absolute path of the job's output, or of the reason why the job was refused. */
  readonly log?: string;
}

/**
 * Numbers of bytes to read at the end of a worker's ledger, the small one first. Usually the job is one of the worker's last
 * jobs.
 */
const TAILS = [16 * 1024, 256 * 1024];

/** Finds out how a job failed. Fields that the ledger does not have are left out. */
export async function endingOf(
  site: Site,
  worker: string,
  file: string,
  mark: FileMark | undefined,
): Promise<Ending> {
  const { store, layout } = site;
  const read = (size: number) => store.tail(layout.ledgerOf(worker), size).catch(() => "");
  for await (const text of tails(read, TAILS)) {
    const ending = readEnding(text, layout, file, mark);
    if (ending !== undefined) return ending;
  }
  return {};
}

/** The last end of the job in these lines, without the ends of void runs. Only lines that name the job are parsed. */
function readEnding(
  text: string,
  layout: Layout,
  file: string,
  mark: FileMark | undefined,
): Ending | undefined {
  const job = jobName(file);
  const named = `"job":${JSON.stringify(job)},`;
  const lines = parseLines(wholeLines(text).filter((line) => line.includes(named)));
  const fold = new Fold(() => undefined);
  return lines
    .filter((line) => "job" in line && line.job === job) // in any other line, the name is only part of a result
    .flatMap((line) => fold.note(line) ?? [])
    .toReversed()
    .map((told) => endingIn(told, layout, file, mark))
    .find((ending) => ending !== undefined);
}

/** @param mark distinguishes the job's file from other files with the same name, if it is known */
function endingIn(
  told: Run | Closing,
  layout: Layout,
  file: string,
  mark: FileMark | undefined,
): Ending | undefined {
  if ("end" in told) {
    const { job, attempt, end } = told;
    if (end.kind !== "ended" || (mark !== undefined && !isStampOf(end.stamp ?? "", mark))) return undefined;
    return { outcome: end.outcome, attempt, log: layout.attemptLog(job, attempt) };
  }
  if (told.kind !== "refused" || told.file !== file) return undefined;
  return { outcome: { kind: "refused", reason: told.reason }, log: refusalLogOf(layout, file) };
}
