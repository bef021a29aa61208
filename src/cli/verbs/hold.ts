import { EXIT, openExisting } from "../command.js";
import { tellWithdrawn } from "../take-out.js";
import { type Common, DRY_RUN, JOBS, JSON_OPTION, needJobs, printJson, type Verb } from "../verb.js";

interface Args extends Common {
  readonly jobs: string[];
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** `fjord hold`: jobs that wait are kept from being run. */
export const verb: Verb<Args> = {
  options: (y) =>
    y
      .positional("jobs", JOBS)
      .option("dry-run", DRY_RUN)
      .option("json", JSON_OPTION)
      .example("fjord hold 'run*'", "those that run already run on")
      .example("fjord release 'run*'", "and back into the queue"),

  async run({ jobs, dryRun, json, project: name }) {
    needJobs(jobs);
    const project = await openExisting({ project: name });
    const stop = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stop.abort());
    const places = await project.jobs(jobs);
    const ends = await project.hold(places, { dryRun, signal: stop.signal });
    if (json) printJson(ends);
    const isAll = json
      ? ends.every(({ end }) => end === "done" || end === "ended")
      : tellWithdrawn(ends, { done: "Held", foretold: "Would hold" }, dryRun);
    return isAll ? EXIT.ok : EXIT.refused;
  },
};
