import { namesOf } from "../../jobs/numbers.js";
import { durationOf } from "../duration-option.js";
import { endSignal, printJson } from "../main.js";
import { openExisting } from "../open-project.js";
import { JSON_OPTION, text } from "../option.js";
import { type Common, JOBS, type Verb } from "../verb.js";
import { exitCodeOf, tellEnds } from "../wait-outcome.js";
import { waitWithNews } from "../wait-with-news.js";

interface Args extends Common {
  readonly jobs: string[];
  readonly timeout: string | undefined;
  readonly json: boolean;
}

/**
 * `fjord wait`: waits until jobs have ended. The exit code is 0 if all succeeded, 1 if some did not, 2 if the time is over, 3 for
 * an unknown job.
 */
export const verb: Verb<Args> = {
  words: { jobs: JOBS },
  options: { timeout: text("give up after this time: 90, 30m, 2h"), json: JSON_OPTION },
  examples: [
    ["fjord wait", "until nothing waits or runs any more"],
    ["fjord wait 'train*' --timeout 2h && ./evaluate.sh", "evaluate if all succeeded within two hours"],
  ],
  notes:
    "A pattern also waits for jobs that come later. Inside a job, the command does not wait for that job.\n" +
    "Exits with 0 if all succeeded, 1 if some did not, 2 if the time is over, 3 for an unknown job.",

  async run(args) {
    const timeout = args.timeout === undefined ? undefined : durationOf("timeout", args.timeout, args.jobs);
    const project = await openExisting(args);
    const places = args.jobs.length > 0 ? await project.jobs(args.jobs) : undefined;
    const stop = endSignal();
    const result = await waitWithNews(project, args.project, places && namesOf(places), {
      ...(timeout !== undefined && { timeout }),
      patterns: args.jobs,
      signal: stop,
    });
    if (args.json) printJson(result);
    else await tellEnds(project, result, args.project);
    return exitCodeOf(result);
  },
};
