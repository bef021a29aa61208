import { exitOf } from "../job/outcome.js";
import type { JobRecord } from "./record.js";
import { type ResultRow, tabulate } from "./results.js";

const COLUMNS = ["attempts", "exit", "signal", "seconds", "cpu", "memory", "host", "log"] as const;

/**
 * All that is known of the jobs of a run, a row each, with the names of the columns first.
 *
 * @param keepsLogs whether the logs that are named will be there
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
