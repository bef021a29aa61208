import type { Retried } from "../../compose/retry.js";
import { FjordError } from "../../job/error.js";
import { visible } from "../../job/quote.js";
import type { JobPlace } from "../../report/jobs.js";
import type { JobRecord } from "../../report/record.js";
import { jobsToActOn } from "../act-on.js";
import { EXIT, openExisting, say } from "../command.js";
import {
  type ActArgs,
  count,
  DRY_RUN,
  JOBS,
  JSON_OPTION,
  printJson,
  someOf,
  total,
  type Verb,
} from "../verb.js";

interface Args extends ActArgs {
  readonly failed: boolean;
  readonly lost: boolean;
}

/** Jobs that are left and told of one by one. */
const TOLD = 5;

function isLost({ attempts }: JobRecord): boolean {
  return attempts.at(-1)?.outcome?.kind === "lost";
}

/** `fjord retry`: what failed goes back into the queue. */
export const verb: Verb<Args> = {
  options: (y) =>
    y
      .positional("jobs", JOBS)
      .option("failed", { type: "boolean", default: false, describe: "all jobs that failed" })
      .option("lost", {
        type: "boolean",
        default: false,
        describe: "all that failed because their workers died",
      })
      .option("dry-run", DRY_RUN)
      .option("json", JSON_OPTION)
      .example("fjord retry --failed", "everything that failed, once more")
      .example("fjord retry 'run{1..50}'", "those of run1 to run50; quote it, or the shell expands it"),

  async run(args) {
    const project = await openExisting(args);
    if (args.jobs.length === 0 && !args.failed && !args.lost) {
      throw new FjordError("bad-usage", "Say which jobs.", "fjord retry JOB…, fjord retry --failed");
    }
    const chosen = new Map<string, JobPlace>();
    if (args.jobs.length > 0) {
      const named = await jobsToActOn(project, args.jobs, "put back");
      for (const place of named) chosen.set(place.job, place);
    }
    if (args.failed || args.lost) {
      const all = args.failed ? await project.jobs() : (await project.records()).filter(isLost);
      for (const job of all) if (job.state === "failed") chosen.set(job.job, job);
    }
    const retried = await project.retry([...chosen.values()], { dryRun: args.dryRun });
    if (args.json) printJson(retried);
    else {
      const of = (end: string) => retried.filter((one) => one.end === end);
      const back = of("queued");
      const verb = args.dryRun ? "Would go back" : "Back";
      say(
        "fjord",
        `${verb} into the queue: ${count(total(back))}${back.length > 0 ? `: ${someOf(back)}` : ""}.`,
      );
      tellUnlike(of("unlike"));
      const gone = of("gone");
      if (gone.length > 0) say("fjord", `Not there any more: ${someOf(gone)}.`);
      const taken = of("name-taken");
      if (taken.length > 0) say("fjord", `Left, as another of the name waits: ${someOf(taken)}.`);
    }
    return retried.every(({ end }) => end === "queued" || end === "unlike") ? EXIT.ok : EXIT.refused;
  },
};

/** A few one by one; of more, each state in one line. */
function tellUnlike(unlike: readonly Retried[]): void {
  if (unlike.length <= TOLD) {
    for (const { job, state } of unlike) {
      say("fjord", `${visible(job)} has not failed (${state}): left as it is.`);
    }
    return;
  }
  for (const state of new Set(unlike.map((one) => one.state))) {
    const of = unlike.filter((one) => one.state === state);
    say("fjord", `Left as they are, as they have not failed (${state}): ${count(total(of))}: ${someOf(of)}.`);
  }
}
