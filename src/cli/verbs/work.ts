import { FjordError } from "../../job/error.js";
import { quote } from "../../job/quote.js";
import { currentDirectory } from "../../project/current-directory.js";
import { isDispatcherId } from "../../project/entry-names.js";
import { foreignValues } from "../../recruiter/foreign-values.js";
import { EXIT, say } from "../main.js";
import { openProject } from "../open-project.js";
import { flag, SHARED_OPTION, text } from "../option.js";
import type { Common, Verb } from "../verb.js";
import { work } from "../work.js";

const ID = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,150}$/;

interface Args extends Common {
  readonly id: string | undefined;
  readonly shared: string | undefined;
  readonly quiet: boolean;
}

/** The command `worker`, which has no verbs. */
export const verb: Verb<Args> = {
  options: {
    id: text("id of the worker, which no worker has had before"),
    shared: SHARED_OPTION,
    quiet: { ...flag("print nothing"), default: !process.stdout.isTTY },
  },
  examples: [
    ["worker", "one worker in this terminal, for the default project"],
    ["worker --project ./results", "for the project in ./results"],
  ],
  notes:
    "After the first Ctrl-C, the worker finishes its job and goes. The second one stops the job, which goes back to the queue.",

  async run(args) {
    if (args.id !== undefined) checkId(args.id);
    currentDirectory(); // this refuses a missing directory before a project is made
    const print = (line: string) => {
      if (!args.quiet) say("worker", line);
    };
    const project = await openProject(args, print);
    await work(project, { id: args.id, foreign: foreignValues(process.env), say: print });
    return EXIT.ok;
  },
};

/** Two kinds of ids are reserved: `retry`, the name of the retry desk, and ids in the form of a dispatcher's id. */
function checkId(id: string): void {
  if (ID.test(id) && id !== "retry" && !isDispatcherId(id)) return;
  throw new FjordError(
    "bad-usage",
    `--id: ${quote(id)} cannot be a worker's id.`,
    "Write at most 151 letters (a to z, A to Z), digits, '_' and '-', and no '-' first. " +
      '"retry" and ids that end like the id of a dispatcher (node7-d-1vf8yh8o) are reserved.',
  );
}
