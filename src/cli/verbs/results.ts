import { cut } from "../../job/quote.js";
import { tabulate } from "../../report/results.js";
import { EXIT, openExisting } from "../command.js";
import { csvOf } from "../csv.js";
import { table } from "../table.js";
import { type Common, JOBS, JSON_OPTION, printJson, type Verb } from "../verb.js";

interface Args extends Common {
  readonly jobs: string[];
  readonly csv: boolean;
  readonly json: boolean;
}

/** `fjord results`: what went into the jobs that have ended, and what came out, in one table. */
export const verb: Verb<Args> = {
  options: (y) =>
    y
      .positional("jobs", JOBS)
      .option("csv", { type: "boolean", default: false, describe: "print CSV, RFC 4180" })
      .option("json", JSON_OPTION)
      .check(({ csv, json }) => !(csv && json) || "Either --csv or --json.")
      .example("fjord results", "[params] of each job file, and what the job wrote to $FJORD_RESULT")
      .example("fjord results 'train*' --csv > results.csv", "for a spreadsheet"),

  async run(args) {
    const project = await openExisting(args);
    const rows = await project.results(args.jobs);
    const { columns, rows: cells } = tabulate(rows);
    if (args.json) printJson(rows);
    else if (args.csv) process.stdout.write(csvOf([columns, ...cells]));
    else if (rows.length === 0) process.stdout.write("No job has ended yet.\n");
    else
      process.stdout.write(
        table(
          columns.map(title),
          cells.map((row) => row.map(cut)),
        ),
      );
    return EXIT.ok;
  },
};

/** What is fjord's own is in capitals, as in every table; what is the jobs' is as they wrote it. */
function title(column: string, index: number): string {
  return index < 2 ? column.toUpperCase() : cut(column);
}
