import { hideBin } from "yargs/helpers";
import { EXIT, main, openProject, parser } from "./command.js";
import { statusLine } from "./status-line.js";
import { workerTable } from "./worker-table.js";

async function status(args: { project: string | undefined; json: boolean }): Promise<number> {
  const project = await openProject(args);
  const status = await project.status();
  if (args.json) {
    process.stdout.write(`${JSON.stringify(status)}\n`);
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
  await parser(
    "fjord",
    "fjord <command>\n\nLooks at a project.",
    "recruiter, dispatcher and worker do the work.",
  )
    .command(
      ["status", "$0"],
      "show the project at a glance",
      (y) => y.option("json", { type: "boolean", default: false, describe: "print JSON" }),
      async (args) => {
        code = await status(args);
      },
    )
    .example("fjord status", "the default project")
    .example("fjord status --project ./results --json", "for a script")
    .parseAsync(hideBin(process.argv));
  return code;
});
