import fs from "node:fs";
import { FjordError } from "../job/error.js";
import { visible } from "../job/quote.js";
import { isJobVariable } from "../job/variables.js";
import type { Project } from "../library/project.js";
import { fileModeIn } from "../project/access.js";
import { currentDirectory } from "../project/current-directory.js";
import { openDaemonLog, ROTATION_LOOKS_APART } from "../project/daemon-log.js";
import { ownUid } from "../project/trust.js";
import { refuseUnlessUtf8 } from "../project/utf8-path.js";
import { newActorId } from "../spool/identity.js";
import { inheritedFrom } from "../worker/inherited.js";
import { LauncherShell } from "../worker/launcher-shell.js";
import type { StartRunner } from "../worker/runner.js";
import { Worker } from "../worker/worker.js";

export interface WorkRequest {
  readonly id: string | undefined;
  /** Variables of the worker's environment whose values are not UTF-8, with their bytes. */
  readonly foreign: ReadonlyMap<string, Buffer>;
  readonly say: (text: string) => void;
}

/**
 * Runs a worker until a note or a signal dismisses it. The first SIGINT or SIGTERM lets the job end, and a second signal stops
 * the job. A worker that was declared lost, for example on a laptop that slept, comes back under a new id.
 */
export async function work(project: Project, request: WorkRequest): Promise<void> {
  const { store, layout, settings, access } = project;
  refuseRoot(project);
  const directory = currentDirectory(); // read now, because the directory may be gone when the worker comes back under a new id
  refuseUnlessUtf8("The current directory", directory);
  // A job may have hired this worker. The variables of that job must not reach the jobs that the worker runs.
  for (const name of Object.keys(process.env)) if (isJobVariable(name)) delete process.env[name];
  const startRunner = runnerFor(process.env, request.foreign);
  let id = request.id ?? newActorId("w");
  const first = id;
  const level = process.env.FJORD_LOG_LEVEL ?? "info";
  const log = openDaemonLog(layout.daemonLog(id), level, undefined, fileModeIn(layout));
  const stopRotation = store.clock.every(ROTATION_LOOKS_APART, () => log.rotate());
  let worker: Worker | undefined;
  let asked = 0;
  const dismiss = (signal: string, how: "after-job" | "now") => {
    asked++;
    request.say(how === "now" ? "Stopping the job, then leaving." : "Leaving after this job.");
    worker?.dismiss(how, signal);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => dismiss(signal, asked === 0 ? "after-job" : "now"));
  }
  process.on("SIGHUP", () => dismiss("SIGHUP", "now")); // the terminal is gone
  for (;;) {
    worker = new Worker({ store, layout, settings, access, log: log.logger, id, directory, startRunner });
    request.say(`${id} on duty in project "${project.directory}".`);
    const end = await worker.onDuty();
    if (end === "left" || asked > 0) break;
    id = newActorId("w");
    request.say(`The worker was declared lost. It is on duty again as ${id}.`);
  }
  stopRotation();
  log.close();
  removeIfEmpty(layout.printed(first));
}

function runnerFor(environment: NodeJS.ProcessEnv, foreign: ReadonlyMap<string, Buffer>): StartRunner {
  // Variables that were deleted above are left out.
  const values = new Map([...foreign].filter(([name]) => environment[name] !== undefined));
  const inherited = inheritedFrom(Object.keys(environment), values);
  return (directory, own, ledger) => new LauncherShell(directory, own, ledger, inherited);
}

function removeIfEmpty(file: string): void {
  try {
    if (fs.statSync(file).size === 0) fs.unlinkSync(file);
  } catch {
    // a worker that was started by hand does not have this file
  }
}

/** In a shared project the jobs of all members would run as root, so root must allow this explicitly. */
function refuseRoot({ access, directory, hasJobOwners }: Project): void {
  if (ownUid() !== 0 || access !== "shared" || hasJobOwners) return;
  throw new FjordError(
    "bad-project",
    `${visible(directory)} is shared, so the jobs of every member of its group would run as root.`,
    "Run the worker as another user, or write job_owners = … into a settings.ini that belongs to root " +
      "and that nobody else can write.",
  );
}
