import type { Argv } from "yargs";
import { FjordError } from "../job/error.js";
import { type Common, JOBS, JSON_OPTION } from "./verb.js";

/** What a verb is told that prints a table, or the same as CSV or as JSON. */
export interface TableArgs extends Common {
  readonly jobs: string[];
  readonly csv: boolean;
  readonly json: boolean;
}

/** Declares which jobs are in the table, and how it is printed. */
export function tableOptions(y: Argv<Common>, describeJson: string = JSON_OPTION.describe) {
  return y
    .positional("jobs", JOBS)
    .option("csv", { type: "boolean", default: false, describe: "print CSV, RFC 4180" })
    .option("json", { ...JSON_OPTION, describe: describeJson });
}

/** @throws FjordError `bad-usage` when it is to be both */
export function needOneFormat({ csv, json }: TableArgs): void {
  if (csv && json) throw new FjordError("bad-usage", "Either --csv or --json.");
}
