import { FjordError } from "../../job/error.js";
import { visible } from "../../job/quote.js";
import type { JobPlace } from "../../jobs/places.js";
import type { JobRecord } from "../../jobs/record.js";
import type { Retried } from "../../jobs/retry.js";
import { jobsToActOn } from "../act-on.js";
import { EXIT, printJson, say } from "../main.js";
import { openExisting } from "../open-project.js";
import { flag } from "../option.js";
import { ACT_OPTIONS, type ActArgs, JOBS, type Verb } from "../verb.js";
import { count, someOf, total } from "../wording.js";

interface Args extends ActArgs {
  readonly failed: boolean;
  readonly lost: boolean;
}

/** Largest number of unchanged jobs that have a line of their own. */
const TOLD = 5;

function isLost({ attempts }: JobRecord): boolean {
  return attempts.at(-1)?.outcome?.kind === "lost";
}

/** `fjord retry`: puts failed jobs back into the queue. */
export const verb: Verb<Args> = {
  words: { jobs: JOBS },
  options: {
    failed: flag("all jobs that failed"),
    lost: flag("all jobs that failed because their workers died"),
    ...ACT_OPTIONS,
  },
  examples: [
    ["fjord retry --failed", "every job that failed, once more"],
    ["fjord retry 'run{1..50}'", "of run1 to run50, those that failed; quote it, or the shell expands it"],
  ],

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
      if (gone.length > 0) say("fjord", `No longer found: ${someOf(gone)}.`);
      const taken = of("name-taken");
      if (taken.length > 0)
        say("fjord", `Not put back, because another job with the same name waits: ${someOf(taken)}.`);
    }
    return retried.every(({ end }) => end === "queued" || end === "unlike") ? EXIT.ok : EXIT.refused;
  },
};

/** Reports a few jobs one by one, and many jobs by their states. */
function tellUnlike(unlike: readonly Retried[]): void {
  if (unlike.length <= TOLD) {
    for (const { job, state } of unlike) {
      say("fjord", `${visible(job)} has not failed (${state}): left as it is.`);
    }
    return;
  }
  for (const state of new Set(unlike.map((one) => one.state))) {
    const of = unlike.filter((one) => one.state === state);
    say(
      "fjord",
      `Left as they are, because they have not failed (${state}): ${count(total(of))}: ${someOf(of)}.`,
    );
  }
}
