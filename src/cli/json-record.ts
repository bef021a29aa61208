import type { JobRecord } from "../jobs/record.js";

/**
 * A job's record as `--json` prints it. The field `kind` is left out, because the field `numbers` already distinguishes the two
 * kinds.
 */
export function jsonOf({ kind: _, ...record }: JobRecord): unknown {
  return record;
}
