import { emptyStatus } from "../../report/status.js";
import { EXIT } from "../main.js";
import { defaultDirectory, openToLook } from "../open.js";
import { statusText } from "../status-text.js";
import { type Common, JSON_OPTION, printJson, type Verb } from "../verb.js";

interface Args extends Common {
  readonly json: boolean;
}

/** `fjord status`: the project at a glance. */
export const verb: Verb<Args> = {
  options: (y) =>
    y
      .option("json", JSON_OPTION)
      .example("fjord status", "the default project")
      .example("fjord status --project ./results --json", "for a script"),

  async run(args) {
    const project = await openToLook(args);
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

/** What to do when nothing has been made yet. */
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
