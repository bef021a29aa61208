import { parseIni } from "../job/ini-dialect.js";
import { JOB_FILE_LIMIT } from "../job/job.js";
import type { JobResult } from "../job/job-result.js";
import { isEnd, isSingle, type JobPlace, type JobState } from "../jobs/places.js";
import { attemptsOfPlace } from "../jobs/record.js";
import { type AttemptRecord, readHistory } from "../ledger/attempts.js";
import type { Site } from "../store/site.js";
import { isSystemError, type Store } from "../store/store.js";

/** Parameters and results of a job that has ended. */
export interface ResultRow {
  readonly job: string;
  readonly state: JobState;
  /** The section `[params]` of the job file, unchanged. */
  readonly params: Readonly<Record<string, string>>;
  /** Results of the attempt that counts; empty when the attempt wrote no results. */
  readonly results: JobResult;
}

/**
 * Returns a row for each job that has ended. The row has the results of the last attempt, or for a job that succeeded, of its
 * last attempt that succeeded.
 */
export async function readResults(site: Site, places: readonly JobPlace[]): Promise<ResultRow[]> {
  const { store } = site;
  const ended = places.filter(isSingle).filter(({ state }) => isEnd(state));
  const names = new Set(ended.map(({ job }) => job));
  const history = await readHistory(site, (job) => names.has(job));
  const rows: ResultRow[] = [];
  for (const place of ended) {
    const { job, state, path } = place;
    const attempts = await attemptsOfPlace(store, place, history);
    const results = countingAttempt(attempts, state)?.result ?? {};
    rows.push({ job, state, params: await paramsOf(store, path), results });
  }
  return rows;
}

function countingAttempt(attempts: readonly AttemptRecord[], state: JobState): AttemptRecord | undefined {
  return state === "done"
    ? attempts.findLast(({ outcome }) => outcome?.kind === "succeeded")
    : attempts.at(-1);
}

/** Reads the parameters of a job file. The result is empty for a script, and for a file that was moved meanwhile. */
async function paramsOf(store: Store, path: string): Promise<Record<string, string>> {
  let bytes: Uint8Array;
  try {
    bytes = (await store.read(path, JOB_FILE_LIMIT)).bytes;
  } catch (error) {
    if (isSystemError(error)) return {};
    throw error;
  }
  const ini = parseIni(bytes);
  const params = ini.ok ? [...(ini.sections.get("params")?.own ?? [])] : [];
  return Object.fromEntries(params.map(([key, { value }]) => [key, value ?? ""]));
}

/** A table whose columns are job, state, each parameter and each result, in the order of their first appearance. */
export interface ResultTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Makes a table of rows. A result whose name another column has is called `result.NAME`, a parameter `param.NAME`. */
export function tabulate(rows: readonly ResultRow[]): ResultTable {
  const params = keysOf(rows.map((row) => row.params));
  const results = keysOf(rows.map((row) => row.results));
  const columns = ["job", "state"];
  const add = (kind: string, key: string) => columns.push(columns.includes(key) ? `${kind}.${key}` : key);
  for (const key of params) add("param", key);
  for (const key of results) add("result", key);
  return {
    columns,
    rows: rows.map((row) => [
      row.job,
      row.state,
      ...params.map((key) => row.params[key] ?? ""),
      ...results.map((key) => textOf(row.results[key])),
    ]),
  };
}

function keysOf(records: readonly Readonly<Record<string, unknown>>[]): string[] {
  return [...new Set(records.flatMap(Object.keys))];
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
