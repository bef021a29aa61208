import { namesOf } from "../../report/arrays.js";
import { openExisting } from "../command.js";
import { durationOf } from "../duration-option.js";
import { exitCodeOf, tellEnds } from "../ends.js";
import { endSignal } from "../main.js";
import { type Common, JOBS, JSON_OPTION, printJson, type Verb } from "../verb.js";
import { waitAloud } from "../wait-aloud.js";

interface Args extends Common {
  readonly jobs: string[];
  readonly timeout: string | undefined;
  readonly json: boolean;
}

/** `fjord wait`: until jobs have ended. 0 all succeeded, 1 some did not, 2 time is over, 3 no such job. */
export const verb: Verb<Args> = {
  options: (y) =>
    y
      .positional("jobs", JOBS)
      .option("timeout", {
        type: "string",
        requiresArg: true,
        describe: "give up after so long: 90, 30m, 2h",
      })
      .option("json", JSON_OPTION)
      .epilogue(
        "Ends with 0 when all succeeded, 1 when some did not, 2 when the time is over, 3 for an unknown job.",
      )
      .example("fjord wait", "until nothing waits or runs any more")
      .example("fjord wait 'train*' --timeout 2h && ./evaluate.sh", "then go on"),

  async run(args) {
    const timeout = args.timeout === undefined ? undefined : durationOf("timeout", args.timeout, args.jobs);
    const project = await openExisting(args);
    const places = args.jobs.length > 0 ? await project.jobs(args.jobs) : undefined;
    const stop = endSignal();
    const result = await waitAloud(project, args.project, places && namesOf(places), {
      ...(timeout !== undefined && { timeout }),
      signal: stop,
    });
    if (args.json) printJson(result);
    else await tellEnds(project, result, args.project);
    return exitCodeOf(result);
  },
};
