import { FjordError } from "../job/error.js";
import { flag, JSON_OPTION } from "./option.js";
import type { Common } from "./verb.js";

/** Arguments of a verb that prints a table, CSV or JSON. */
export interface TableArgs extends Common {
  readonly jobs: string[];
  readonly csv: boolean;
  readonly json: boolean;
}

/** Options for the format of the table. */
export const TABLE_OPTIONS = { csv: flag("print CSV, RFC 4180"), json: JSON_OPTION };

/** @throws FjordError `bad-usage` if both formats are typed */
export function needOneFormat({ csv, json }: TableArgs): void {
  if (csv && json) throw new FjordError("bad-usage", "Use either --csv or --json.");
}
