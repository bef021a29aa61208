import { emptyStatus } from "../../report/status.js";
import { EXIT, printJson } from "../main.js";
import { defaultDirectory, openToRead } from "../open-project.js";
import { JSON_OPTION } from "../option.js";
import { statusText } from "../status-text.js";
import type { Common, Verb } from "../verb.js";

interface Args extends Common {
  readonly json: boolean;
}

/** `fjord status`: shows the project at a glance. */
export const verb: Verb<Args> = {
  options: { json: JSON_OPTION },
  examples: [
    ["fjord status", "the default project"],
    ["fjord status --project ./results --json", "for a script"],
  ],

  async run(args) {
    const project = await openToRead(args);
    const status = (await project?.status()) ?? emptyStatus(defaultDirectory());
    if (args.json) {
      printJson(status);
      return EXIT.ok;
    }
    if (project === undefined) {
      process.stdout.write(firstSteps(status.project));
      return EXIT.ok;
    }
    process.stdout.write(statusText(status, args.project));
    return EXIT.ok;
  },
};

/** Commands to begin with when there is no project yet. */
function firstSteps(directory: string): string {
  return [
    `There is no project here yet (${directory}).`,
    "",
    "Hire workers, which makes it: recruiter hire",
    `Put job files into ${directory}/jobqueue, or a command: fjord submit -- COMMAND`,
    "Hand them out: dispatcher",
    "",
    "Or all of that at once, for one line of jobs: fjord run -- COMMAND",
    "",
  ].join("\n");
}
