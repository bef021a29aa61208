import fs from "node:fs";
import { hideBin } from "yargs/helpers";
import { FjordError } from "../job/error.js";
import { openDaemonLog } from "../report/daemon-log.js";
import { newActorId } from "../spool/identity.js";
import { Worker } from "../worker/worker.js";
import { EXIT, main, openProject, parser, say } from "./command.js";

const WHO = "worker";
const ID = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,150}$/;

/** Works until it is dismissed; one that was declared lost (a stopped laptop that wakes up) comes back under a new id. */
async function work(args: {
  project: string | undefined;
  id: string | undefined;
  quiet: boolean;
}): Promise<number> {
  if (args.id !== undefined && !ID.test(args.id)) {
    throw new FjordError("bad-usage", `"${args.id}" cannot be a worker's id.`, "Leave --id out.");
  }
  const project = await openProject(args);
  let id = args.id ?? newActorId("w");
  const log = openDaemonLog(project.layout.daemonLog(id), process.env.FJORD_LOG_LEVEL ?? "info");
  const rotation = setInterval(() => log.rotate(), 60_000);
  let worker: Worker | undefined;
  const dismiss = (signal: string, how: "after-job" | "now") => {
    if (!args.quiet) say(WHO, how === "now" ? "Stopping the job, then leaving." : "Leaving after this job.");
    worker?.dismiss(how, signal);
  };
  let asked = 0;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => dismiss(signal, asked++ === 0 ? "after-job" : "now"));
  }
  process.on("SIGHUP", () => dismiss("SIGHUP", "now")); // its terminal is gone
  for (;;) {
    const { store, layout, settings } = project;
    worker = new Worker({ store, layout, settings, log: log.logger, id, directory: process.cwd() });
    if (!args.quiet) say(WHO, `${id} on duty in project "${project.directory}".`);
    const end = await worker.onDuty();
    if (end === "left" || asked > 0) break;
    id = newActorId("w");
    if (!args.quiet) say(WHO, `Was declared lost; on duty again as ${id}.`);
  }
  clearInterval(rotation);
  log.close();
  removeIfEmpty(project.layout.printed(args.id ?? id));
  return EXIT.ok;
}

function removeIfEmpty(file: string): void {
  try {
    if (fs.statSync(file).size === 0) fs.unlinkSync(file);
  } catch {
    // started by hand: there is none
  }
}

main(WHO, async () => {
  const args = await parser(
    "worker",
    "worker\n\nRuns the jobs that a dispatcher puts on its desk, one at a time, until it is fired.",
    "First Ctrl-C: finish the job, then go. Second: stop the job; it goes back to the queue.",
  )
    .option("id", { type: "string", requiresArg: true, describe: "given by the recruiter; never used twice" })
    .option("quiet", { type: "boolean", default: !process.stdout.isTTY, describe: "print nothing" })
    .example("worker", "one worker in this terminal, for the default project")
    .example("worker --project ./results", "for the project in ./results")
    .parseAsync(hideBin(process.argv));
  return work(args);
});
