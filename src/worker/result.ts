import { type JobResult, parseResult, RESULT_LIMIT } from "../job/job-result.js";
import type { Store } from "../store/store.js";

/** Content of the file that a job left at `$FJORD_RESULT`. `problem`: sentence for the job's log when this is no result. */
export interface Told {
  readonly result?: JobResult;
  readonly problem?: string;
}

/**
 * Reads the result of an attempt that has ended. Never throws, whatever the job left there.
 *
 * @param since the job file's change time when the attempt began, ms, by the store's clock. An older file is of an earlier
 * attempt: its log was deleted, so that its number was free again.
 */
export async function readResult(store: Store, path: string, since: number): Promise<Told> {
  try {
    if (!(await store.has(path))) return {};
    const { bytes, facts } = await store.read(path, RESULT_LIMIT + 1);
    if (facts.ctimeMs < since) return {};
    if (facts.kind !== "file") return told("is not a regular file");
    const reading = parseResult(bytes);
    return reading.ok ? { result: reading.result } : told(reading.problem);
  } catch (error) {
    return told(`cannot be read: ${(error as Error).message}`);
  }
}

function told(problem: string): Told {
  return { problem: `fjord: the result was not taken: $FJORD_RESULT ${problem}` };
}
