import { describeOutcome } from "../job/outcome.js";
import { cut, visible } from "../job/quote.js";
import { toType } from "../project/to-type.js";
import type { Failure } from "../report/failures.js";
import type { Status } from "../report/status.js";
import { statusLine } from "./status-line.js";
import { table } from "./table.js";
import { workerTable } from "./worker-table.js";

/** The state of a project, and the commands that let its jobs go on. @param named the project as the user named it */
export function statusText(status: Status, named: string | undefined): string {
  return [...tables(status, named), ...hints(status, named)].join("\n");
}

/** Lines of the same text for a screen of `rows` rows. If there are too many lines, the tables are cut and the hints are kept. */
export function statusLines(status: Status, named: string | undefined, rows: number): string[] {
  const all = statusText(status, named).trimEnd().split("\n");
  if (all.length <= rows) return all;
  const last = hints(status, named).map((hint) => hint.trimEnd());
  const first = tables(status, named).join("\n").trimEnd().split("\n");
  return [...first.slice(0, Math.max(1, rows - last.length)), ...last];
}

function tables(status: Status, named: string | undefined): string[] {
  const { workers, failed } = status;
  const parts = [`${status.project}\n${statusLine(status)}\n`];
  if (workers.length > 0) parts.push(workerTable(workers));
  if (failed > 0) {
    const all = toType("fjord list --state failed", named);
    parts.push(`${failureTable(status.failures)}All that failed: ${all}\n`);
  }
  return parts;
}

/** Lines that say what is missing, and which command to type. */
function hints(status: Status, named: string | undefined): string[] {
  const { running, workers, dispatcher, held, done, failed, cancelled } = status;
  const waiting = status.waiting + status.retrying;
  const parts: string[] = [];
  const isAnybodyAlive = workers.some(({ state }) => state !== "dead");
  if (running > 0 && !isAnybodyAlive) {
    const back = dispatcher === undefined ? "a dispatcher would take back" : "the dispatcher takes back";
    parts.push(`All workers are dead: ${back} their jobs.\n`);
  }
  if (waiting + running > 0 && !isAnybodyAlive) {
    parts.push(`No worker is on duty: ${toType("recruiter hire", named)}\n`);
  }
  if (waiting + (isAnybodyAlive ? 0 : running) > 0 && dispatcher === undefined)
    parts.push(`Nobody dispatches: ${toType("dispatcher", named)}\n`);
  if (waiting + running + held + done + failed + cancelled === 0) {
    parts.push(`Nothing here yet. Put job files into ${status.project}/jobqueue\n`);
  }
  return parts;
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
