import { describeOutcome } from "../job/outcome.js";
import { visible } from "../job/quote.js";
import type { JobEnd } from "../jobs/awaited.js";
import { lastRecordOf } from "../jobs/record.js";
import type { WaitResult } from "../jobs/wait.js";
import type { JobHistory } from "../ledger/attempts.js";
import type { Project } from "../library/project.js";
import { toType } from "../project/to-type.js";
import { EXIT, say } from "./main.js";
import { ownJob } from "./own-job.js";
import { count, some } from "./wording.js";

/** Largest number of failures that have a line of their own. */
const TOLD = 5;

/**
 * Reports the end of a wait: how many jobs succeeded, and the reasons of the first failures.
 *
 * @param named the project as the user named it
 */
export async function tellEnds(
  project: Project,
  { ended, pending }: WaitResult,
  named: string | undefined,
): Promise<void> {
  const bad = ended.filter(({ state }) => state !== "done");
  if (ended.length + pending.length === 0)
    say("fjord", `Nothing ${ownJob(project) === undefined ? "" : "else "}waits or runs.`);
  else {
    const succeeded = ended.length - bad.length;
    say("fjord", `${count(ended.length)} ended: ${succeeded} succeeded, ${bad.length} did not.`);
  }
  const told = bad.slice(0, TOLD);
  const history = await project.history(new Set(told.map(({ job }) => job)));
  for (const end of told) say("fjord", `${visible(end.job)}: ${visible(howItEnded(end, history))}`);
  if (bad.length > TOLD) {
    const states = (["failed", "cancelled"] as const).filter((one) => bad.some(({ state }) => state === one));
    const all = toType(`fjord list --state ${states.join(",")}`, named);
    say("fjord", `… and ${bad.length - TOLD} more${states.length > 0 ? `: ${all}` : "."}`);
  }
  if (pending.length > 0) say("fjord", `Not ended: ${some(pending.map(visible))}.`);
}

export function exitCodeOf({ end, ended }: WaitResult): number {
  if (end === "stopped") return EXIT.interrupted;
  if (end === "timeout") return EXIT.refused;
  return ended.some(({ state }) => state !== "done") ? EXIT.someFailed : EXIT.ok;
}

function howItEnded(end: JobEnd, history: JobHistory): string {
  if (end.state !== "failed") return end.state;
  const { refused, attempts } = lastRecordOf({ job: end.job, state: end.state }, history);
  const outcome = attempts.at(-1)?.outcome;
  return refused ?? (outcome === undefined ? end.state : describeOutcome(outcome));
}
