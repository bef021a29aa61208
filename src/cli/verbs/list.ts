import { formatDuration } from "../../job/duration.js";
import { describeOutcome } from "../../job/outcome.js";
import { visible } from "../../job/quote.js";
import { JOB_STATES } from "../../jobs/places.js";
import type { JobRecord } from "../../jobs/record.js";
import { readCondition } from "../../report/conditions.js";
import { colourOfState } from "../colour.js";
import { jsonOf } from "../json-record.js";
import { EXIT, printJson } from "../main.js";
import { openToRead } from "../open-project.js";
import { JSON_OPTION, texts } from "../option.js";
import { statesOf } from "../state-option.js";
import { table } from "../table.js";
import { clock } from "../times.js";
import { type Common, JOBS, type Verb } from "../verb.js";

interface Args extends Common {
  readonly jobs: string[];
  readonly state: string[] | undefined;
  readonly where: string[] | undefined;
  readonly json: boolean;
}

/** `fjord list`: lists jobs, one on each line. */
export const verb: Verb<Args> = {
  words: { jobs: JOBS },
  options: {
    state: texts(`only jobs in these states: ${JOB_STATES.join(", ")}`),
    where: texts(
      "only jobs of which this is true: 'duration > 1h', 'exit = 3', 'memory > 2GB', 'host = node7'",
    ),
    json: JSON_OPTION,
  },
  examples: [
    ["fjord list --state failed", "the jobs that failed"],
    ["fjord list 'train*' --where 'duration > 1h'", "the jobs that took long"],
  ],

  async run(args) {
    const conditions = (args.where ?? []).map(readCondition);
    const wanted = statesOf(args.state ?? JOB_STATES, JOB_STATES);
    const project = await openToRead(args);
    const listed = ((await project?.records(args.jobs)) ?? []).filter(({ state, attempts }) => {
      const last = attempts.at(-1);
      return wanted.has(state) && conditions.every((holds) => last !== undefined && holds(last));
    });
    if (args.json) printJson(listed.map(jsonOf));
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
