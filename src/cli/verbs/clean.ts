import { FjordError } from "../../job/error.js";
import { sizeOfPlace } from "../../report/arrays.js";
import { ENDS, type JobPlace, type JobState } from "../../report/jobs.js";
import { jobsToActOn } from "../act-on.js";
import { EXIT, openExisting, say } from "../command.js";
import { countOnTerminal } from "../counter.js";
import { durationOf } from "../duration-option.js";
import { STATES_OPTION, statesOf } from "../states-option.js";
import {
  type ActArgs,
  count,
  DRY_RUN,
  JOBS,
  JSON_OPTION,
  printJson,
  some,
  someOf,
  type Verb,
} from "../verb.js";

interface Args extends ActArgs {
  readonly state: string[];
  readonly olderThan: string | undefined;
  readonly runs: boolean;
}

/** `fjord clean`: jobs that ended long ago go, with their logs. */
export const verb: Verb<Args> = {
  options: (y) =>
    y
      .positional("jobs", JOBS)
      .option("older-than", { type: "string", requiresArg: true, describe: "ended so long ago: 12h, 7d" })
      .option("runs", {
        type: "boolean",
        default: false,
        describe: "what fjord run has kept: whole projects in which nobody works any more",
      })
      .option("state", {
        ...STATES_OPTION,
        default: ["done", "cancelled"],
        describe: `which of them: ${[...ENDS].join(", ")}`,
      })
      .option("dry-run", DRY_RUN)
      .option("json", JSON_OPTION)
      .example("fjord clean --older-than 7d", "done and cancelled jobs, and old logs of workers")
      .example("fjord clean --older-than 0 'test*'", "only these, however young")
      .example("fjord clean --runs --older-than 7d", "the projects of fjord runs that failed"),

  async run(args) {
    if (args.runs) return removeRuns(args);
    if (args.olderThan === undefined) {
      throw new FjordError(
        "bad-usage",
        "Say how old.",
        "fjord clean --older-than 7d; 0 for whatever has ended.",
      );
    }
    const olderThan = durationOf("older-than", args.olderThan, args.jobs);
    const states = statesOf(args.state, ENDS);
    const project = await openExisting(args);
    const meant = await jobsToActOn(project, args.jobs, "removed");
    const places = meant.filter(({ state }) => states.has(state));
    const { dryRun } = args;
    const cleaned = await project.clean(places, {
      olderThan,
      dryRun,
      daemonLogs: args.jobs.length === 0,
      onProgress: args.json ? undefined : countOnTerminal("Removed"),
    });
    if (args.json) printJson(cleaned);
    else {
      const { jobs, daemonLogs } = cleaned;
      const sizes = new Map(places.map((place) => [place.job, sizeOfPlace(place)]));
      const names =
        jobs.length > 0 ? `: ${someOf(jobs.map((job) => ({ job, count: sizes.get(job) ?? 1 })))}` : "";
      const logs =
        daemonLogs.length > 0 ? `, and ${count(daemonLogs.length, "log")} of workers and dispatchers` : "";
      say("fjord", `${dryRun ? "Would remove" : "Removed"} ${count(cleaned.count)}${names}${logs}.`);
      if (args.jobs.length > 0) tellOthers(meant, states);
      if (cleaned.left.length > 0) {
        say(
          "fjord",
          `Left, as it is a directory: ${some(cleaned.left)}. Remove it by hand, if nothing in it is needed.`,
        );
      }
    }
    return EXIT.ok;
  },
};

/** Jobs that were named, and stay for the state that they are in. */
function tellOthers(named: readonly JobPlace[], states: ReadonlySet<JobState>): void {
  for (const state of ENDS) {
    const kept = states.has(state) ? [] : named.filter((place) => place.state === state);
    if (kept.length === 0) continue;
    const jobs = someOf(kept.map((place) => ({ job: place.job, count: sizeOfPlace(place) })));
    say("fjord", `Kept, being ${state}: ${jobs}. With --state ${state} they go, too.`);
  }
}

async function removeRuns({ jobs, project, olderThan, dryRun, json }: Args): Promise<number> {
  if (jobs.length > 0 || project !== undefined) {
    const hint = "fjord clean --runs --older-than 7d; one of them by hand: rm -r, when nobody works there.";
    throw new FjordError(
      "bad-usage",
      "--runs removes whole projects: name neither jobs nor a project.",
      hint,
    );
  }
  const { cleanRuns } = await import("../../compose/clean-runs.js");
  const seconds = olderThan === undefined ? 0 : durationOf("older-than", olderThan, jobs);
  const cleaned = await cleanRuns(process.env, { olderThan: seconds, dryRun });
  if (json) {
    printJson(cleaned);
    return EXIT.ok;
  }
  const { runs, inUse } = cleaned;
  const names = runs.length > 0 ? `: ${some(runs)}` : "";
  say("fjord", `${dryRun ? "Would remove" : "Removed"} ${count(runs.length, "run")}${names}.`);
  if (inUse.length > 0) say("fjord", `Left, as somebody works there or did a minute ago: ${some(inUse)}.`);
  return EXIT.ok;
}
