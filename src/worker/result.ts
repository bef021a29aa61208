import { type JobResult, parseResult, RESULT_LIMIT } from "../job/job-result.js";
import type { Store } from "../spool/store.js";

/** What a job left at `$FJORD_RESULT`. `problem`: a sentence for its log on why that is no result. */
export interface Told {
  readonly result?: JobResult;
  readonly problem?: string;
}

/**
 * Reads the result of an attempt that has ended; whatever lies there instead harms nobody.
 *
 * @param since the job file's change time when the attempt began, ms, by the store's clock: what is older was left by an
 * attempt of this number whose log somebody has deleted
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
