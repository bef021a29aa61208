import fs from "node:fs";
import path from "node:path";
import { jobName } from "../job/name.js";
import { visible } from "../job/quote.js";
import type { Project } from "../library/project.js";
import { note } from "./main.js";

/** The job in which this command runs. */
export interface OwnJob {
  readonly job: string;
  readonly worker: string;
}

/**
 * The job of this project in which this command runs. The variable `FJORD_JOB` alone proves nothing, because a shell may keep the
 * variable after the job has ended. So the job's file must also be on the desk of its worker.
 */
export function ownJob({ layout }: Project, env: NodeJS.ProcessEnv = process.env): OwnJob | undefined {
  const { FJORD_JOB: job = "", FJORD_WORKER: worker = "" } = env;
  const file = path.basename(env.FJORD_JOB_FILE ?? "");
  if (file === "" || worker === "" || jobName(file) !== job) return undefined;
  return fs.existsSync(layout.onDesk(worker, file)) ? { job, worker } : undefined;
}

/** Says that a command leaves out the job in which it runs. */
export function tellLeftOut({ job }: OwnJob): void {
  note("fjord", `${visible(job)} is left out: this command runs in that job.`);
}
