import { jobsToActOn } from "../act-on.js";
import { EXIT, openExisting, say } from "../command.js";
import { type ActArgs, actOptions, count, needJobs, printJson, someOf, total, type Verb } from "../verb.js";

/** `fjord release`: held jobs go back into the queue. */
export const verb: Verb<ActArgs> = {
  options: (y) => actOptions(y).example("fjord release 'run*'", "what fjord hold has kept back"),

  async run({ jobs, dryRun, json, project: name }) {
    needJobs(jobs);
    const project = await openExisting({ project: name });
    const ends = await project.release(await jobsToActOn(project, jobs, "released"), { dryRun });
    if (json) printJson(ends);
    else {
      const of = (end: string) => ends.filter((one) => one.end === end);
      const back = of("queued");
      const what = dryRun ? "Would release" : "Released";
      say("fjord", `${what} ${count(total(back))}${back.length > 0 ? `: ${someOf(back)}` : ""}.`);
      const others = of("not-held");
      if (others.length > 0) say("fjord", `Not held: ${someOf(others)}.`);
      const taken = of("name-taken");
      if (taken.length > 0) say("fjord", `Left, as another of the name waits: ${someOf(taken)}.`);
      const gone = of("gone");
      if (gone.length > 0) say("fjord", `Not there any more: ${someOf(gone)}.`);
    }
    return ends.every(({ end }) => end !== "name-taken") ? EXIT.ok : EXIT.refused;
  },
};
