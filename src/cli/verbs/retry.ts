import { FjordError } from "../../job/error.js";
import { visible } from "../../job/quote.js";
import type { JobPlace } from "../../report/jobs.js";
import type { JobRecord } from "../../report/record.js";
import { EXIT, openExisting, say } from "../command.js";
import {
  type ActArgs,
  count,
  DRY_RUN,
  JOBS,
  JSON_OPTION,
  printJson,
  some,
  total,
  type Verb,
} from "../verb.js";

interface Args extends ActArgs {
  readonly failed: boolean;
  readonly lost: boolean;
}

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
    if (args.jobs.length > 0) for (const place of await project.jobs(args.jobs)) chosen.set(place.job, place);
    if (args.failed || args.lost) {
      const all = args.failed ? await project.jobs() : (await project.records()).filter(isLost);
      for (const job of all) if (job.state === "failed") chosen.set(job.job, job);
    }
    const retried = await project.retry([...chosen.values()], { dryRun: args.dryRun });
    if (args.json) printJson(retried);
    else {
      const namesOf = (end: string) =>
        retried.filter((one) => one.end === end).map(({ job }) => visible(job));
      const queued = namesOf("queued");
      const back = retried.filter(({ end }) => end === "queued");
      const verb = args.dryRun ? "Would go back" : "Back";
      say(
        "fjord",
        `${verb} into the queue: ${count(total(back))}${queued.length > 0 ? `: ${some(queued)}` : ""}.`,
      );
      for (const one of retried.filter(({ end }) => end === "unlike").slice(0, 5)) {
        say("fjord", `${visible(one.job)} has not failed (${one.state}): left as it is.`);
      }
      const gone = namesOf("gone");
      if (gone.length > 0) say("fjord", `Not there any more: ${some(gone)}.`);
      const taken = namesOf("name-taken");
      if (taken.length > 0) say("fjord", `Left, as another of the name waits: ${some(taken)}.`);
    }
    return retried.every(({ end }) => end === "queued" || end === "unlike") ? EXIT.ok : EXIT.refused;
  },
};
