import type { Range } from "../job/numbers.js";
import type { Layout } from "../project/layout.js";
import type { Numbers } from "../report/arrays.js";
import type { JobPlace } from "../report/jobs.js";
import type { PartKind } from "../spool/array-parts.js";
import { beginArray, changeParts } from "../spool/arrays.js";
import { look } from "../spool/intake.js";
import type { Store } from "../spool/store.js";

/**
 * Numbers of an array that are no jobs yet get another kind. An array that is in the queue still begins with that.
 *
 * @returns those that changed; others are jobs by now, or had it already
 */
export async function changeNumbers(
  store: Store,
  layout: Layout,
  { numbers, path, file }: JobPlace & { readonly numbers: Numbers },
  from: readonly PartKind[],
  to: PartKind,
): Promise<readonly Range[]> {
  if (path === layout.queued(file)) {
    const seen = await look(store, path, file);
    if (seen.kind === "valid" && seen.job.array !== undefined) {
      await beginArray(store, layout, file);
    }
  }
  return changeParts(store, layout, numbers.array, new Set(from), to, numbers.ranges);
}
