import { describeOutcome } from "../job/outcome.js";
import { cut, visible } from "../job/quote.js";
import { toType } from "../project/to-type.js";
import type { Failure } from "../report/failures.js";
import type { Status } from "../report/status.js";
import { statusLine } from "./status-line.js";
import { table } from "./table.js";
import { workerTable } from "./worker-table.js";

/** A project at a glance, and what to do about it. @param named the project, as it was named */
export function statusText(status: Status, named: string | undefined): string {
  const { running, workers, dispatcher, held, done, failed, cancelled } = status;
  const waiting = status.waiting + status.retrying;
  const parts = [`${status.project}\n${statusLine(status)}\n`];
  if (workers.length > 0) parts.push(workerTable(workers));
  if (failed > 0) {
    const all = toType("fjord list --state failed", named);
    parts.push(`${failureTable(status.failures)}All that failed: ${all}\n`);
  }
  const isAnybodyAlive = workers.some(({ state }) => state !== "dead");
  if (running > 0 && !isAnybodyAlive) {
    const back = dispatcher === undefined ? "a dispatcher would take back" : "the dispatcher takes back";
    parts.push(`All workers are dead: ${back} what they ran.\n`);
  }
  if (waiting + running > 0 && !isAnybodyAlive) {
    parts.push(`No worker is on duty: ${toType("recruiter hire", named)}\n`);
  }
  if (waiting + (isAnybodyAlive ? 0 : running) > 0 && dispatcher === undefined)
    parts.push(`Nobody dispatches: ${toType("dispatcher", named)}\n`);
  if (waiting + running + held + done + failed + cancelled === 0) {
    parts.push(`Nothing here yet. Put job files into ${status.project}/jobqueue\n`);
  }
  return parts.join("\n");
}

function failureTable(failures: readonly Failure[]): string {
  if (failures.length === 0) return "";
  const rows = failures.map(({ job, outcome, lastLine }) =>
    outcome.kind === "refused"
      ? [visible(job), "refused", visible(outcome.reason)]
      : [visible(job), describeOutcome(outcome), cut(lastLine ?? "")],
  );
  return `${table(["FAILED", "HOW", "LAST LINE"], rows)}\n`;
}
