import { visible } from "../../job/quote.js";
import { EXIT, openExisting } from "../command.js";
import { type Common, JOBS, JSON_OPTION, needJobs, printJson, type Verb } from "../verb.js";

interface Args extends Common {
  readonly jobs: string[];
  readonly json: boolean;
}

/** `fjord explain`: why jobs are where they are, and what to do about it. */
export const verb: Verb<Args> = {
  options: (y) =>
    y
      .positional("jobs", JOBS)
      .option("json", JSON_OPTION)
      .example("fjord explain run7", "why it does not run, or why it failed"),

  async run(args) {
    needJobs(args.jobs);
    const project = await openExisting(args);
    const explained = await project.explain(await project.jobs(args.jobs));
    if (args.json) {
      printJson(explained);
      return EXIT.ok;
    }
    for (const { job, state, reasons } of explained) {
      process.stdout.write(`${visible(job)}: ${state}\n`);
      for (const { text, todo } of reasons) {
        process.stdout.write(`  ${text}${todo === undefined ? "" : ` → ${todo}`}\n`);
      }
    }
    return EXIT.ok;
  },
};
