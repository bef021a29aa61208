import type { Project } from "../compose/project.js";
import type { Withdrawn } from "../compose/withdraw.js";
import { jobsToActOn } from "./act-on.js";
import { EXIT, endSignal, say } from "./main.js";
import { openExisting } from "./open.js";
import { type ActArgs, actOptions, count, needJobs, printJson, someOf, total, type Verb } from "./verb.js";

/** How a verb that takes jobs out of the queue differs from the other. */
interface Kind {
  readonly takeOut: "cancel" | "hold";
  /** As `Cancelled`. */
  readonly done: string;
  readonly foretold: string;
  /** Command lines, and what they do. */
  readonly examples: readonly (readonly [line: string, what: string])[];
}

/** The verb that takes jobs out of the queue, for good or until they are released. */
export function takeOutVerb(kind: Kind): Verb<ActArgs> {
  return {
    options: (y) => {
      const its = actOptions(y);
      for (const [line, what] of kind.examples) its.example(line, what);
    },

    async run({ jobs, dryRun, json, project: name }) {
      needJobs(jobs);
      const project: Project = await openExisting({ project: name });
      const stop = endSignal();
      const places = await jobsToActOn(project, jobs, kind.done.toLowerCase());
      const ends = await project[kind.takeOut](places, { dryRun, signal: stop });
      if (json) printJson(ends);
      else tell(ends, dryRun ? kind.foretold : kind.done);
      return ends.every(({ end }) => end === "done" || end === "ended") ? EXIT.ok : EXIT.refused;
    },
  };
}

function tell(withdrawn: readonly Withdrawn[], verb: string): void {
  const of = (end: Withdrawn["end"]) => withdrawn.filter((one) => one.end === end);
  const tellOf = (end: Withdrawn["end"], what: string) => {
    if (of(end).length > 0) say("fjord", `${what}: ${someOf(of(end))}.`);
  };
  const done = of("done");
  say("fjord", `${verb} ${count(total(done))}${done.length > 0 ? `: ${someOf(done)}` : ""}.`);
  tellOf("ended", "Had ended already");
  tellOf("running", "Left, as they run (fjord cancel stops them)");
  tellOf("name-taken", "Left, as another of the name is held");
  tellOf("gone", "Not there any more");
  tellOf(
    "asked",
    "Their workers were asked, and have not answered yet; it is done when they do, or are found lost",
  );
}
