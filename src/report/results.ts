import { parseIni } from "../job/ini-dialect.js";
import { JOB_FILE_LIMIT } from "../job/job.js";
import type { JobResult } from "../job/job-result.js";
import type { Layout } from "../project/layout.js";
import { isSystemError, type Store } from "../spool/store.js";
import { type AttemptRecord, readHistory } from "./attempts.js";
import { ENDS, type JobPlace, type JobState } from "./jobs.js";

/** What went into a job that has ended, and what came out. */
export interface ResultRow {
  readonly job: string;
  readonly state: JobState;
  /** The job file's section `[params]`, as it stands there. */
  readonly params: Readonly<Record<string, string>>;
  /** Empty when the attempt that counts wrote none. */
  readonly results: JobResult;
}

/** A row for each job that has ended: what its last attempt wrote, or of a job that succeeded the last that did. */
export async function readResults(
  store: Store,
  layout: Layout,
  places: readonly JobPlace[],
): Promise<ResultRow[]> {
  const ended = places.filter(({ state, numbers }) => ENDS.has(state) && numbers === undefined);
  const names = new Set(ended.map(({ job }) => job));
  const { attempts } = await readHistory(store, layout, (job) => names.has(job));
  const rows: ResultRow[] = [];
  for (const { job, state, path } of ended) {
    const results = countingAttempt(attempts.get(job) ?? [], state)?.result ?? {};
    rows.push({ job, state, params: await paramsOf(store, path), results });
  }
  return rows;
}

function countingAttempt(attempts: readonly AttemptRecord[], state: JobState): AttemptRecord | undefined {
  return state === "done"
    ? attempts.findLast(({ outcome }) => outcome?.kind === "succeeded")
    : attempts.at(-1);
}

/** None in a script, and in a file that has moved on. */
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

/** A table of rows: its columns are job, state, every parameter and every result, by their first appearance. */
export interface ResultTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A result whose name is taken by another column is called `result.NAME`, a parameter `param.NAME`. */
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
