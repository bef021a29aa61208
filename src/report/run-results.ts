import { exitOf } from "../job/outcome.js";
import type { JobRecord } from "../jobs/record.js";
import { type ResultRow, tabulate } from "./results.js";

const COLUMNS = ["attempts", "exit", "signal", "seconds", "cpu", "memory", "host", "log"] as const;

/**
 * Makes a table of the jobs of a run. The first row has the names of the columns, and each other row all facts about one job.
 *
 * @param keepsLogs whether the logs stay after the run. If not, the table names no log
 */
export function tabulateRun(
  records: readonly JobRecord[],
  results: readonly ResultRow[],
  keepsLogs: boolean,
): (string | number)[][] {
  const { columns, rows } = tabulate(results);
  const byJob = new Map(rows.map((row) => [row[0], row.slice(2)]));
  const nothing = columns.slice(2).map(() => "");
  return [
    ["job", "state", ...COLUMNS, ...columns.slice(2)],
    ...records.map(({ job, state, attempts }) => {
      const last = attempts.at(-1);
      const { outcome, seconds, cpu, memory, host, log } = last ?? {};
      return [
        job,
        state,
        attempts.length,
        outcome === undefined ? "" : (exitOf(outcome) ?? ""),
        outcome?.kind === "failed" ? (outcome.signal ?? "") : "",
        seconds ?? "",
        cpu ? cpu.user + cpu.system : "",
        memory ?? "",
        host ?? "",
        (keepsLogs && log) || "",
        ...(byJob.get(job) ?? nothing),
      ];
    }),
  ];
}
