import { toType } from "../../project/to-type.js";
import { EXIT, printJson, say } from "../main.js";
import { defaultDirectory, openToRead } from "../open-project.js";
import { JSON_OPTION } from "../option.js";
import type { Common, Verb } from "../verb.js";
import { workerTable } from "../worker-table.js";

interface Args extends Common {
  readonly json: boolean;
}

/** `recruiter list`: the workers that are on duty. */
export const verb: Verb<Args> = {
  options: { json: JSON_OPTION },
  examples: [["recruiter list --project ./results", "the workers of one project"]],

  async run(args) {
    const project = await openToRead(args);
    const workers = (await project?.workers()) ?? [];
    if (args.json) printJson(workers);
    else if (workers.length > 0) process.stdout.write(workerTable(workers));
    else {
      const directory = project?.directory ?? defaultDirectory();
      const hire = toType("recruiter hire", args.project);
      say("recruiter", `Nobody is on duty in project "${directory}". Hire workers with: ${hire}`);
    }
    return EXIT.ok;
  },
};
