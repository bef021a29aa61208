import fs from "node:fs";
import type { Project } from "../compose/project.js";
import { FjordError } from "../job/error.js";
import { visible } from "../job/quote.js";
import { fileModeIn } from "../project/access.js";
import { ownUid } from "../project/trust.js";
import { openDaemonLog } from "../report/daemon-log.js";
import { newActorId } from "../spool/identity.js";
import { Worker } from "../worker/worker.js";

export interface WorkRequest {
  readonly id: string | undefined;
  readonly say: (text: string) => void;
}

/**
 * Works until it is dismissed by a note or a signal: the first SIGINT or SIGTERM lets the job end, a second stops it.
 * A worker that was declared lost (a stopped laptop that wakes up) comes back under a new id.
 */
export async function work(project: Project, request: WorkRequest): Promise<void> {
  const { store, layout, settings } = project;
  refuseRoot(project);
  let id = request.id ?? newActorId("w");
  const first = id;
  const level = process.env.FJORD_LOG_LEVEL ?? "info";
  const log = openDaemonLog(layout.daemonLog(id), level, undefined, fileModeIn(layout));
  const rotation = setInterval(() => log.rotate(), 60_000);
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
  process.on("SIGHUP", () => dismiss("SIGHUP", "now")); // its terminal is gone
  for (;;) {
    worker = new Worker({ store, layout, settings, log: log.logger, id, directory: process.cwd() });
    request.say(`${id} on duty in project "${project.directory}".`);
    const end = await worker.onDuty();
    if (end === "left" || asked > 0) break;
    id = newActorId("w");
    request.say(`Was declared lost; on duty again as ${id}.`);
  }
  clearInterval(rotation);
  log.close();
  removeIfEmpty(layout.printed(first));
}

function removeIfEmpty(file: string): void {
  try {
    if (fs.statSync(file).size === 0) fs.unlinkSync(file);
  } catch {
    // started by hand: there is none
  }
}

/** In a shared project all its members would be root: that has to be said by root himself. */
function refuseRoot({ access, directory, hasJobOwners }: Project): void {
  if (ownUid() !== 0 || access !== "shared" || hasJobOwners) return;
  throw new FjordError(
    "bad-project",
    `${visible(directory)} is shared: what the members of its group submit would run as root.`,
    "Work there as another user; or let a settings.ini of root's own, which nobody else can write, say job_owners = …",
  );
}
