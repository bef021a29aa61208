import { jobsToActOn } from "../act-on.js";
import { EXIT, printJson, say } from "../main.js";
import { openExisting } from "../open-project.js";
import { ACT_OPTIONS, type ActArgs, JOBS, needJobs, type Verb } from "../verb.js";
import { count, someOf, total } from "../wording.js";

/** `fjord release`: puts held jobs back into the queue. */
export const verb: Verb<ActArgs> = {
  words: { jobs: JOBS },
  options: ACT_OPTIONS,
  examples: [["fjord release 'run*'", "jobs that fjord hold has kept back"]],

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
      if (taken.length > 0)
        say("fjord", `Not put back, because another job with the same name waits: ${someOf(taken)}.`);
      const gone = of("gone");
      if (gone.length > 0) say("fjord", `No longer found: ${someOf(gone)}.`);
    }
    return ends.every(({ end }) => end !== "name-taken") ? EXIT.ok : EXIT.refused;
  },
};
