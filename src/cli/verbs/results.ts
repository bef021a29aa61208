import { cut } from "../../job/quote.js";
import { type ResultRow, tabulate } from "../../report/results.js";
import { csvOf } from "../csv.js";
import { EXIT, printJson } from "../main.js";
import { openExisting } from "../open-project.js";
import { table } from "../table.js";
import { needOneFormat, TABLE_OPTIONS, type TableArgs } from "../table-options.js";
import { JOBS, type Verb } from "../verb.js";
import { count } from "../wording.js";

/** `fjord results`: prints the parameters and the results of ended jobs in one table. */
export const verb: Verb<TableArgs> = {
  words: { jobs: JOBS },
  options: TABLE_OPTIONS,
  examples: [
    ["fjord results", "[params] of each job file, and what the job wrote to $FJORD_RESULT"],
    ["fjord results 'train*' --csv > results.csv", "for a spreadsheet"],
  ],

  async run(args) {
    needOneFormat(args);
    const project = await openExisting(args);
    const all = await project.results(args.jobs);
    const rows = args.jobs.length > 0 ? all : all.filter(tells);
    const { columns, rows: cells } = tabulate(rows);
    if (args.json) printJson(rows);
    else if (args.csv) process.stdout.write(csvOf([columns, ...cells]));
    else if (all.length === 0) process.stdout.write("No job has ended yet.\n");
    else {
      const lines = cells.map((row) => row.map(cut));
      if (rows.length > 0) process.stdout.write(table(columns.map(title), lines));
      const rest = all.length - rows.length;
      if (rest > 0)
        process.stdout.write(`${count(rest)} without parameters and results; name them to see them.\n`);
    }
    return EXIT.ok;
  },
};

/** Whether a job has a row. A failed job has a row with its parameters. A job without parameters and results has no row. */
function tells({ params, results }: ResultRow): boolean {
  return Object.keys(params).length + Object.keys(results).length > 0;
}

/** Titles of fjord's own columns are in capitals, as in every table. Column names that come from jobs stay as they are. */
function title(column: string, index: number): string {
  return index < 2 ? column.toUpperCase() : cut(column);
}
