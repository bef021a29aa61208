import { visible } from "../../job/quote.js";
import { EXIT, openExisting, say } from "../command.js";
import { type ActArgs, actOptions, count, needJobs, printJson, some, total, type Verb } from "../verb.js";

/** `fjord release`: held jobs go back into the queue. */
export const verb: Verb<ActArgs> = {
  options: (y) => actOptions(y).example("fjord release 'run*'", "what fjord hold has kept back"),

  async run({ jobs, dryRun, json, project: name }) {
    needJobs(jobs);
    const project = await openExisting({ project: name });
    const ends = await project.release(await project.jobs(jobs), { dryRun });
    if (json) printJson(ends);
    else {
      const namesOf = (end: string) => ends.filter((one) => one.end === end).map(({ job }) => visible(job));
      const queued = namesOf("queued");
      const back = ends.filter(({ end }) => end === "queued");
      const what = dryRun ? "Would release" : "Released";
      say("fjord", `${what} ${count(total(back))}${queued.length > 0 ? `: ${some(queued)}` : ""}.`);
      const others = namesOf("not-held");
      if (others.length > 0) say("fjord", `Not held: ${some(others)}.`);
      const taken = namesOf("name-taken");
      if (taken.length > 0) say("fjord", `Left, as another of the name waits: ${some(taken)}.`);
      const gone = namesOf("gone");
      if (gone.length > 0) say("fjord", `Not there any more: ${some(gone)}.`);
    }
    return ends.every(({ end }) => end !== "name-taken") ? EXIT.ok : EXIT.refused;
  },
};
