import { EXIT, openExisting } from "../command.js";
import { tellWithdrawn } from "../take-out.js";
import { type Common, DRY_RUN, JOBS, JSON_OPTION, needJobs, printJson, type Verb } from "../verb.js";

interface Args extends Common {
  readonly jobs: string[];
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** `fjord cancel`: jobs that wait or run are taken out, and stopped with all that they have started. */
export const verb: Verb<Args> = {
  options: (y) =>
    y
      .positional("jobs", JOBS)
      .option("dry-run", DRY_RUN)
      .option("json", JSON_OPTION)
      .example("fjord cancel run7", "whether it waits or runs")
      .example("fjord cancel 'run{1..50}' 'test*'", "many; quote it, or the shell expands it")
      .example("fjord cancel 'run*' --dry-run", "tell only"),

  async run({ jobs, dryRun, json, project: name }) {
    needJobs(jobs);
    const project = await openExisting({ project: name });
    const stop = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stop.abort());
    const places = await project.jobs(jobs);
    const ends = await project.cancel(places, { dryRun, signal: stop.signal });
    if (json) printJson(ends);
    const isAll = json
      ? ends.every(({ end }) => end === "done" || end === "ended")
      : tellWithdrawn(ends, { done: "Cancelled", foretold: "Would cancel" }, dryRun);
    return isAll ? EXIT.ok : EXIT.refused;
  },
};
