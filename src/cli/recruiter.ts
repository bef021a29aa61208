import { FjordError } from "../job/error.js";
import { main } from "./main.js";
import type { Program } from "./program.js";
import { runProgram } from "./run-program.js";
import type { Common, Verb } from "./verb.js";

/** Refuses `recruiter` without a verb, and holds the examples of the program's help. */
const verb: Verb<Common> = {
  options: {},
  examples: [
    ["recruiter hire 4", "four workers on this host"],
    ["recruiter hire 4 --via tmux", "in tmux sessions, to attach to"],
    ["recruiter fire", "all workers of the project, on all hosts, after their jobs"],
    ["recruiter fire --now node7-w-0k2j8xqz", "one worker, at once; its job goes back to the queue"],
  ],

  async run() {
    const hint = "recruiter --help lists the possible words.";
    throw new FjordError("bad-usage", "Say what to do: hire, fire or list.", hint);
  },
};

const RECRUITER: Program = {
  name: "recruiter",
  usage: "recruiter <command>",
  about: "Hires and fires the workers of a project.",
  verbs: [
    [
      "hire [count]",
      "start workers on this host; they outlive the terminal",
      () => import("./verbs/hire.js"),
    ],
    [
      "fire [workers..]",
      "let workers on any host finish their jobs and go; all workers of the project if none is named",
      () => import("./verbs/fire.js"),
    ],
    ["list", "list the workers that are on duty", () => import("./verbs/list-workers.js")],
  ],
  otherwise: async () => ({ verb }),
};

main("recruiter", () => runProgram(RECRUITER, process.argv.slice(2)));
