import { cut } from "../../job/quote.js";
import { type ResultRow, tabulate } from "../../report/results.js";
import { EXIT, openExisting } from "../command.js";
import { csvOf } from "../csv.js";
import { table } from "../table.js";
import { needOneFormat, type TableArgs, tableOptions } from "../table-options.js";
import { count, printJson, type Verb } from "../verb.js";

/** `fjord results`: what went into the jobs that have ended, and what came out, in one table. */
export const verb: Verb<TableArgs> = {
  options: (y) =>
    tableOptions(y)
      .example("fjord results", "[params] of each job file, and what the job wrote to $FJORD_RESULT")
      .example("fjord results 'train*' --csv > results.csv", "for a spreadsheet"),

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

/** A job that failed has its row, with its parameters; what has nothing to do with any table has none. */
function tells({ params, results }: ResultRow): boolean {
  return Object.keys(params).length + Object.keys(results).length > 0;
}

/** What is fjord's own is in capitals, as in every table; what is the jobs' is as they wrote it. */
function title(column: string, index: number): string {
  return index < 2 ? column.toUpperCase() : cut(column);
}
