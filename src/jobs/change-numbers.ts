import type { Range } from "../job/numbers.js";
import { changeParts } from "../spool/array-changes.js";
import type { PartKind } from "../spool/array-parts.js";
import { beginArray } from "../spool/arrays.js";
import { readJobFile } from "../spool/read-job-file.js";
import type { Site } from "../store/site.js";
import type { NumbersPlace } from "./places.js";

/**
 * S11: moves numbers of an array from one state to another. Begins the array first if it is still in the queue.
 *
 * @returns the numbers that changed. All other numbers have become jobs, or were in the new state already.
 */
export async function changeNumbers(
  site: Site,
  { numbers, path, file }: NumbersPlace,
  from: readonly PartKind[],
  to: PartKind,
): Promise<readonly Range[]> {
  const { store, layout } = site;
  if (path === layout.queued(file)) {
    const seen = await readJobFile(store, path, file);
    if (seen.kind === "valid" && seen.job.array !== undefined) {
      await beginArray(site, file);
    }
  }
  return changeParts(site, numbers.array, new Set(from), to, numbers.ranges);
}
