import { formatDuration } from "../../job/duration.js";
import { describeOutcome } from "../../job/outcome.js";
import { visible } from "../../job/quote.js";
import type { AttemptRecord } from "../../report/attempts.js";
import { readCondition } from "../../report/conditions.js";
import { JOB_STATES, type JobPlace, type JobState } from "../../report/jobs.js";
import { EXIT, openExisting } from "../command.js";
import { table } from "../table.js";
import { clock } from "../times.js";
import { type Common, JOBS, JSON_OPTION, printJson, type Verb } from "../verb.js";

interface Args extends Common {
  readonly jobs: string[];
  readonly state: JobState[] | undefined;
  readonly where: string[] | undefined;
  readonly json: boolean;
}

export interface ListedJob extends JobPlace {
  readonly attempts: number;
  readonly last: AttemptRecord | undefined;
}

/** `fjord list`: jobs, a line each. */
export const verb: Verb<Args> = {
  options: (y) =>
    y
      .positional("jobs", JOBS)
      .option("state", {
        choices: JOB_STATES,
        array: true,
        requiresArg: true,
        describe: "only these",
      })
      .option("where", {
        type: "string",
        array: true,
        requiresArg: true,
        describe:
          "only those of which this holds: 'duration > 1h', 'exit = 3', 'memory > 2GB', 'host = node7'",
      })
      .option("json", JSON_OPTION)
      .example("fjord list --state failed", "what went wrong")
      .example("fjord list 'train*' --where 'duration > 1h' --where 'memory > 2GB'", "both must hold"),

  async run(args) {
    const conditions = (args.where ?? []).map(readCondition);
    const project = await openExisting(args);
    const places = await project.jobs(args.jobs);
    const wanted = args.state && new Set(args.state);
    const chosen = wanted === undefined ? places : places.filter(({ state }) => wanted.has(state));
    const { attempts } = await project.history(new Set(chosen.map(({ job }) => job)));
    const listed = chosen
      .map((place): ListedJob => {
        const all = attempts.get(place.job) ?? [];
        return { ...place, attempts: all.length, last: all.at(-1) };
      })
      .filter(({ last }) => conditions.every((holds) => last !== undefined && holds(last)));
    if (args.json) printJson(listed);
    else if (listed.length === 0) process.stdout.write("No jobs.\n");
    else process.stdout.write(listing(listed));
    return EXIT.ok;
  },
};

function listing(jobs: readonly ListedJob[]): string {
  return table(
    ["JOB", "STATE", "ATTEMPTS", "OUTCOME", "STARTED", "TOOK", "HOST"],
    jobs.map(({ job, state, attempts, last, worker }) => [
      visible(job),
      state,
      attempts === 0 ? "" : String(attempts),
      last?.outcome === undefined ? "" : describeOutcome(last.outcome),
      last === undefined ? "" : clock(last.start),
      last?.seconds === undefined ? "" : formatDuration(last.seconds),
      last?.host ?? worker ?? "",
    ]),
  );
}
