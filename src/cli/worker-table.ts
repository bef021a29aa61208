import { formatProgress } from "../job/job-progress.js";
import { visible } from "../job/quote.js";
import type { WorkerStatus } from "../report/status.js";
import { table } from "./table.js";
import { clock } from "./times.js";

/** Table of the workers and their jobs. It has a column for progress if a job reports any. */
export function workerTable(workers: readonly WorkerStatus[]): string {
  const told = workers.some(({ progress }) => progress !== undefined);
  return table(
    ["WORKER", "HOST", "STATE", "JOB", ...(told ? ["PROGRESS"] : []), "SINCE"],
    workers.map(({ worker, host, state, job, progress, since }) => [
      worker,
      host,
      state,
      job === undefined ? "" : `${visible(job.name)}${job.attempt > 1 ? ` (attempt ${job.attempt})` : ""}`,
      ...(told ? [progress === undefined ? "" : formatProgress(progress)] : []),
      clock(job?.started ?? since),
    ]),
  );
}
