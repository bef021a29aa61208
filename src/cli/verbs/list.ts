import { formatDuration } from "../../job/duration.js";
import { describeOutcome } from "../../job/outcome.js";
import { visible } from "../../job/quote.js";
import { readCondition } from "../../report/conditions.js";
import { JOB_STATES } from "../../report/jobs.js";
import type { JobRecord } from "../../report/record.js";
import { colourOfState } from "../colour.js";
import { EXIT, openToLook } from "../command.js";
import { STATES_OPTION, statesOf } from "../states-option.js";
import { table } from "../table.js";
import { clock } from "../times.js";
import { type Common, JOBS, JSON_OPTION, printJson, type Verb } from "../verb.js";

interface Args extends Common {
  readonly jobs: string[];
  readonly state: string[] | undefined;
  readonly where: string[] | undefined;
  readonly json: boolean;
}

/** `fjord list`: jobs, a line each. */
export const verb: Verb<Args> = {
  options: (y) =>
    y
      .positional("jobs", JOBS)
      .option("state", {
        ...STATES_OPTION,
        describe: `only these: ${JOB_STATES.join(", ")}`,
      })
      .option("where", {
        type: "string",
        array: true,
        requiresArg: true,
        nargs: 1,
        describe:
          "only those of which this holds: 'duration > 1h', 'exit = 3', 'memory > 2GB', 'host = node7'",
      })
      .option("json", JSON_OPTION)
      .example("fjord list --state failed", "what went wrong")
      .example("fjord list 'train*' --where 'duration > 1h'", "what took long"),

  async run(args) {
    const conditions = (args.where ?? []).map(readCondition);
    const wanted = statesOf(args.state ?? JOB_STATES, JOB_STATES);
    const project = await openToLook(args);
    const listed = ((await project?.records(args.jobs)) ?? []).filter(({ state, attempts }) => {
      const last = attempts.at(-1);
      return wanted.has(state) && conditions.every((holds) => last !== undefined && holds(last));
    });
    if (args.json) printJson(listed);
    else if (listed.length === 0) process.stdout.write("No jobs.\n");
    else process.stdout.write(listing(listed));
    return EXIT.ok;
  },
};

function listing(jobs: readonly JobRecord[]): string {
  return table(
    ["JOB", "STATE", "ATTEMPTS", "OUTCOME", "STARTED", "TOOK", "HOST"],
    jobs.map(({ job, state, attempts, refused }) => {
      const last = attempts.at(-1);
      return [
        visible(job),
        state,
        attempts.length === 0 ? "" : String(attempts.length),
        refused !== undefined ? "refused" : last?.outcome === undefined ? "" : describeOutcome(last.outcome),
        last === undefined ? "" : clock(last.start),
        last?.seconds === undefined ? "" : formatDuration(last.seconds),
        last?.host ?? "",
      ];
    }),
    { STATE: colourOfState },
  );
}
