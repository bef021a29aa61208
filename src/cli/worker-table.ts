import { visible } from "../job/quote.js";
import type { Announcement } from "../spool/announcement.js";
import { table } from "./table.js";

/** Who is on duty and what each is doing. */
export function workerTable(workers: readonly Announcement[]): string {
  return table(
    ["WORKER", "HOST", "STATE", "JOB", "SINCE"],
    workers.map(({ worker, host, state, job, since }) => [
      worker,
      host,
      state,
      job === undefined ? "" : `${visible(job.name)}${job.attempt > 1 ? ` (attempt ${job.attempt})` : ""}`,
      (job?.started ?? since).replace("T", " ").replace(/\.\d+Z$/, "Z"),
    ]),
  );
}
