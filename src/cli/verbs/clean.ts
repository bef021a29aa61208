import { FjordError } from "../../job/error.js";
import { sizeOfPlace } from "../../jobs/numbers.js";
import { END_STATES, type JobPlace, type JobState } from "../../jobs/places.js";
import { jobsToActOn } from "../act-on.js";
import { countOnTerminal } from "../counter.js";
import { durationOf } from "../duration-option.js";
import { EXIT, printJson, say } from "../main.js";
import { openExisting } from "../open-project.js";
import { DRY_RUN, flag, JSON_OPTION, text, texts } from "../option.js";
import { statesOf } from "../state-option.js";
import { type ActArgs, JOBS, type Verb } from "../verb.js";
import { count, some, someOf } from "../wording.js";

interface Args extends ActArgs {
  readonly state: string[];
  readonly olderThan: string | undefined;
  readonly runs: boolean;
}

/** `fjord clean`: removes jobs that ended long ago, with their logs. */
export const verb: Verb<Args> = {
  words: { jobs: JOBS },
  options: {
    "older-than": text("only jobs that ended this long ago: 12h, 7d"),
    runs: flag("remove the projects that fjord run has kept, if nobody works there any more"),
    state: {
      ...texts(`states of the jobs to remove: ${[...END_STATES].join(", ")}`),
      default: ["done", "cancelled"],
    },
    "dry-run": DRY_RUN,
    json: JSON_OPTION,
  },
  examples: [
    ["fjord clean --older-than 7d", "done and cancelled jobs, and old logs of workers"],
    ["fjord clean --older-than 0 'test*'", "only these, however young"],
    ["fjord clean --runs --older-than 7d", "the projects of fjord runs that failed"],
  ],

  async run(args) {
    if (args.runs) return removeRuns(args);
    if (args.olderThan === undefined) {
      throw new FjordError(
        "bad-usage",
        "Say how old the jobs are.",
        "For example: fjord clean --older-than 7d. An age of 0 means all jobs that have ended.",
      );
    }
    const olderThan = durationOf("older-than", args.olderThan, args.jobs);
    const states = statesOf(args.state, END_STATES);
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
          `Not removed, because it is a directory: ${some(cleaned.left)}. Remove it by hand, if nothing in it is needed.`,
        );
      }
    }
    return EXIT.ok;
  },
};

/** Reports the jobs that were named and stay, because `--state` leaves out their state. */
function tellOthers(named: readonly JobPlace[], states: ReadonlySet<JobState>): void {
  for (const state of END_STATES) {
    const kept = states.has(state) ? [] : named.filter((place) => place.state === state);
    if (kept.length === 0) continue;
    const jobs = someOf(kept.map((place) => ({ job: place.job, count: sizeOfPlace(place) })));
    say("fjord", `Kept, because their state is ${state}: ${jobs}. --state ${state} removes them, too.`);
  }
}

async function removeRuns({ jobs, project, olderThan, dryRun, json }: Args): Promise<number> {
  if (jobs.length > 0 || project !== undefined) {
    const hint =
      "For example: fjord clean --runs --older-than 7d. Remove a single one with rm -r, when nobody works there.";
    throw new FjordError(
      "bad-usage",
      "--runs removes whole projects: name neither jobs nor a project.",
      hint,
    );
  }
  const { cleanRuns } = await import("../../run/clean-runs.js");
  const seconds = olderThan === undefined ? 0 : durationOf("older-than", olderThan, jobs);
  const cleaned = await cleanRuns(process.env, { olderThan: seconds, dryRun });
  if (json) {
    printJson(cleaned);
    return EXIT.ok;
  }
  const { runs, inUse } = cleaned;
  const names = runs.length > 0 ? `: ${some(runs)}` : "";
  say("fjord", `${dryRun ? "Would remove" : "Removed"} ${count(runs.length, "run")}${names}.`);
  if (inUse.length > 0)
    say("fjord", `Not removed, because somebody works there or did a minute ago: ${some(inUse)}.`);
  return EXIT.ok;
}
