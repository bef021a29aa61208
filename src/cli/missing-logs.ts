import fs from "node:fs";
import { visible } from "../job/quote.js";
import type { JobPlace } from "../jobs/places.js";
import { attemptsOfPlace } from "../jobs/record.js";
import type { JobHistory } from "../ledger/attempts.js";
import type { Project } from "../library/project.js";
import { refusalLogOf } from "../spool/refuse.js";
import { count, someOf } from "./wording.js";

/** Largest number of jobs that have a line of their own. */
const TOLD = 5;

/**
 * Explains why jobs have no log. Jobs that have not begun share one line.
 *
 * @returns the lines, and whether somebody has removed a log
 */
export async function whyNothing(
  project: Project,
  silent: readonly JobPlace[],
  attempt: number | undefined,
): Promise<{ lacks: string[]; isRemoved: boolean }> {
  const history = await project.history(new Set(silent.map(({ job }) => job)));
  const refused: string[] = [];
  const removed: string[] = [];
  const lacking: JobPlace[] = [];
  for (const place of silent) {
    const job = visible(place.job);
    const told = place.state === "failed" ? history.refusals.get(place.job)?.reason : undefined;
    const refusal = refusalOf(project, place) ?? told;
    const log = await removedLogOf(project, place, attempt, history);
    if (log !== undefined && refusal === undefined) {
      removed.push(`The log of ${job} has been removed: ${visible(log)}`);
    } else if (refusal !== undefined && attempt === undefined) {
      refused.push(`${job} was refused: ${visible(refusal)}`);
    } else lacking.push(place);
  }
  const lines = [...first(refused, "that were refused"), ...first(removed, "whose logs have been removed")];
  const [only, ...others] = lacking;
  const what = attempt === undefined ? "not begun yet" : `no attempt ${attempt}`;
  if (others.length > 0) lines.push(`${count(lacking.length)} have ${what}: ${someOf(lacking)}.`);
  else if (only !== undefined) lines.push(`${visible(only.job)} has ${what}.`);
  return { lacks: lines, isRemoved: removed.length > 0 };
}

function first(lines: readonly string[], which: string): string[] {
  const more = lines.length - TOLD;
  return more > 0 ? [...lines.slice(0, TOLD), `… and ${more} more ${which}.`] : [...lines];
}

/**
 * Path of a log that somebody has removed. The ledgers name the log. If they were pruned, the state of the job proves that there
 * was an attempt.
 */
async function removedLogOf(
  { store, layout }: Project,
  place: JobPlace,
  attempt: number | undefined,
  history: JobHistory,
): Promise<string | undefined> {
  const { job, state } = place;
  const ran = await attemptsOfPlace(store, place, history);
  const asked = attempt === undefined ? ran : ran.filter((known) => known.attempt === attempt);
  const one = asked.findLast(({ log }) => log !== undefined && !fs.existsSync(log));
  if (one !== undefined) return one.log;
  const hasRun = ran.length === 0 && attempt === undefined && (state === "done" || state === "failed");
  return hasRun ? layout.attemptLog(job, 1) : undefined;
}

/** The reason why the job's file was refused; undefined if the file was not refused. */
function refusalOf({ layout }: Project, { file }: JobPlace): string | undefined {
  try {
    return fs.readFileSync(refusalLogOf(layout, file), "utf8").trimEnd();
  } catch {
    return undefined;
  }
}
