import { describeOutcome } from "../../job/outcome.js";
import { cut, visible } from "../../job/quote.js";
import { toType } from "../../project/to-type.js";
import type { Failure } from "../../report/failures.js";
import { emptyStatus } from "../../report/status.js";
import { EXIT } from "../main.js";
import { defaultDirectory, openToLook } from "../open.js";
import { statusLine } from "../status-line.js";
import { table } from "../table.js";
import { type Common, JSON_OPTION, printJson, type Verb } from "../verb.js";
import { workerTable } from "../worker-table.js";

interface Args extends Common {
  readonly json: boolean;
}

/** `fjord status`: the project at a glance. */
export const verb: Verb<Args> = {
  options: (y) =>
    y
      .option("json", JSON_OPTION)
      .example("fjord status", "the default project")
      .example("fjord status --project ./results --json", "for a script"),

  async run(args) {
    const project = await openToLook(args);
    const status = (await project?.status()) ?? emptyStatus(defaultDirectory());
    if (args.json) {
      printJson(status);
      return EXIT.ok;
    }
    if (project === undefined) {
      process.stdout.write(firstSteps(status.project));
      return EXIT.ok;
    }
    process.stdout.write(`${project.directory}\n${statusLine(status)}\n`);
    if (status.workers.length > 0) process.stdout.write(`\n${workerTable(status.workers)}`);
    if (status.failed > 0) {
      const all = toType("fjord list --state failed", args.project);
      process.stdout.write(`${failureTable(status.failures)}\nAll that failed: ${all}\n`);
    }
    const { running, workers, dispatcher } = status;
    const waiting = status.waiting + status.retrying;
    if (waiting > 0 && workers.length === 0) {
      process.stdout.write(`\nNo worker is on duty: ${toType("recruiter hire", args.project)}\n`);
    }
    if (waiting > 0 && dispatcher === undefined) {
      process.stdout.write(`\nNobody dispatches: ${toType("dispatcher", args.project)}\n`);
    }
    if (waiting + running + status.held + status.done + status.failed + status.cancelled === 0) {
      process.stdout.write(`\nNothing here yet. Put job files into ${project.layout.jobqueue}\n`);
    }
    return EXIT.ok;
  },
};

function failureTable(failures: readonly Failure[]): string {
  if (failures.length === 0) return "";
  const rows = failures.map(({ job, outcome, lastLine }) =>
    outcome.kind === "refused"
      ? [visible(job), "refused", visible(outcome.reason)]
      : [visible(job), describeOutcome(outcome), cut(lastLine ?? "")],
  );
  return `\n${table(["FAILED", "HOW", "LAST LINE"], rows)}`;
}

/** What to do when nothing has been made yet. */
function firstSteps(directory: string): string {
  return [
    `There is no project here yet (${directory}).`,
    "",
    "Hire workers, which makes it: recruiter hire",
    `Put job files into ${directory}/jobqueue, and hand them out: dispatcher`,
    "",
  ].join("\n");
}
