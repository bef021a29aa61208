import type { CancelledOrHeld } from "../jobs/cancelling.js";
import type { Project } from "../library/project.js";
import type { CancelOrHold } from "../spool/cancel.js";
import { jobsToActOn } from "./act-on.js";
import { EXIT, endSignal, printJson, say } from "./main.js";
import { openExisting } from "./open-project.js";
import { ACT_OPTIONS, type ActArgs, JOBS, needJobs, type Verb } from "./verb.js";
import { count, someOf, total } from "./wording.js";

/** The differences between `fjord cancel` and `fjord hold`: the action and the texts. */
interface Texts {
  readonly act: CancelOrHold;
  /** Word for what was done: `Cancelled`. */
  readonly done: string;
  /** Words for the report of `--dry-run`: `Would cancel`. */
  readonly foretold: string;
  /** Command lines with what they do. */
  readonly examples: Verb<ActArgs>["examples"];
}

/** Makes the verb `fjord cancel` or `fjord hold`. */
export function cancelOrHoldVerb(texts: Texts): Verb<ActArgs> {
  return {
    words: { jobs: JOBS },
    options: ACT_OPTIONS,
    examples: texts.examples,

    async run({ jobs, dryRun, json, project: name }) {
      needJobs(jobs);
      const project: Project = await openExisting({ project: name });
      const stop = endSignal();
      const places = await jobsToActOn(project, jobs, texts.done.toLowerCase());
      const ends = await project[texts.act](places, { dryRun, signal: stop });
      if (json) printJson(ends);
      else tell(ends, dryRun ? texts.foretold : texts.done);
      return ends.every(({ end }) => end === "done" || end === "ended") ? EXIT.ok : EXIT.refused;
    },
  };
}

function tell(ends: readonly CancelledOrHeld[], verb: string): void {
  const of = (end: CancelledOrHeld["end"]) => ends.filter((one) => one.end === end);
  const tellOf = (end: CancelledOrHeld["end"], what: string) => {
    if (of(end).length > 0) say("fjord", `${what}: ${someOf(of(end))}.`);
  };
  const done = of("done");
  say("fjord", `${verb} ${count(total(done))}${done.length > 0 ? `: ${someOf(done)}` : ""}.`);
  tellOf("ended", "Had ended already");
  tellOf("running", "Not held, because they run (fjord cancel stops them)");
  tellOf("name-taken", "Not held, because another job with the same name is held");
  tellOf("gone", "No longer found");
  tellOf("asked", "Not decided yet, because the workers of these jobs have not answered (the requests stay)");
}
