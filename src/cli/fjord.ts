import { hideBin } from "yargs/helpers";
import { emptyStatus } from "../report/status.js";
import { defaultDirectory, EXIT, main, openToLook, parser } from "./command.js";
import { statusLine } from "./status-line.js";
import { workerTable } from "./worker-table.js";

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

async function status(args: { project: string | undefined; json: boolean }): Promise<number> {
  const project = await openToLook(args);
  const status = (await project?.status()) ?? emptyStatus(defaultDirectory());
  if (args.json) {
    process.stdout.write(`${JSON.stringify(status)}\n`);
    return EXIT.ok;
  }
  if (project === undefined) {
    process.stdout.write(firstSteps(status.project));
    return EXIT.ok;
  }
  process.stdout.write(`${project.directory}\n${statusLine(status)}\n`);
  if (status.workers.length > 0) process.stdout.write(`\n${workerTable(status.workers)}`);
  const { waiting, running, workers, dispatcher } = status;
  if (waiting > 0 && workers.length === 0) {
    process.stdout.write("\nNo worker is on duty: recruiter hire\n");
  }
  if (waiting > 0 && dispatcher === undefined) process.stdout.write("\nNobody dispatches: dispatcher\n");
  if (waiting + running + status.done + status.failed === 0) {
    process.stdout.write(`\nNothing here yet. Put job files into ${project.layout.jobqueue}\n`);
  }
  return EXIT.ok;
}

main("fjord", async () => {
  let code: number = EXIT.ok;
  const run = async (args: { project: string | undefined; json: boolean }) => {
    code = await status(args);
  };
  const base = parser(
    "fjord",
    "fjord [command]\n\nLooks at a project.",
    "recruiter, dispatcher and worker do the work.",
    ["status"],
  );
  const withJson = (y: typeof base) =>
    y.option("json", { type: "boolean", default: false, describe: "print JSON" });
  await base
    // Twice: yargs does not list a command that is also what is done when nothing is said.
    .command("status", "show the project at a glance; what fjord alone does, too", withJson, run)
    .command("$0", false, withJson, run)
    .example("fjord status", "the default project")
    .example("fjord status --project ./results --json", "for a script")
    .parseAsync(hideBin(process.argv));
  return code;
});
