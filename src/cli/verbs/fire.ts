import { visible } from "../../job/quote.js";
import type { Fired } from "../../recruiter/fire.js";
import { EXIT, printJson, say } from "../main.js";
import { defaultDirectory, openToRead } from "../open-project.js";
import { flag, JSON_OPTION } from "../option.js";
import { ownJob } from "../own-job.js";
import type { Common, Verb } from "../verb.js";
import { count } from "../wording.js";

interface Args extends Common {
  readonly workers: string[];
  readonly now: boolean;
  readonly wait: boolean;
  readonly json: boolean;
}

/** `recruiter fire`: ends workers, on any host. */
export const verb: Verb<Args> = {
  words: { workers: { type: "string", array: true, default: [], describe: "ids of workers" } },
  options: {
    now: flag("stop their jobs, too, which go back to the queue"),
    wait: flag("wait until all are gone"),
    json: JSON_OPTION,
  },
  examples: [
    ["recruiter fire", "all workers of the project, on all hosts, after their jobs"],
    ["recruiter fire --now node7-w-0k2j8xqz", "one worker, at once; its job goes back to the queue"],
  ],

  async run(args) {
    const { workers, now, wait, json } = args;
    const project = await openToRead(args);
    const directory = project?.directory ?? defaultDirectory();
    if (project === undefined && workers.length > 0) {
      const { noSuchWorker } = await import("../../recruiter/fire.js");
      throw noSuchWorker(workers, directory);
    }
    const own = project && ownJob(project)?.worker;
    const fired = (await project?.fire({ workers, now, untilGone: wait, own })) ?? [];
    if (json) printJson(fired);
    else if (fired.length === 0) say("recruiter", `Nobody is on duty in project "${directory}".`);
    else {
      say("recruiter", `Fired ${count(fired.length, "worker")} in project "${directory}".`);
      for (const one of fired) if (one.end !== "gone") say("recruiter", textOf(one));
    }
    return EXIT.ok;
  },
};

function textOf({ worker, host, end, job }: Fired): string {
  switch (end) {
    case "gone":
      return `${worker} is gone.`;
    case "finishing":
      return `${worker} finishes ${visible(job ?? "its job")}, then goes.`;
    case "silent":
      return `${worker} on ${host} has been told, and has not answered yet.`;
    case "was-dead":
      return `${worker} was dead already; its jobs are back in the queue.`;
    default: {
      const unknown: never = end;
      throw new Error(`unknown end: ${unknown}`);
    }
  }
}
