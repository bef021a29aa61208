import "./small-heap.js";
import { hideBin } from "yargs/helpers";
import { FjordError } from "../job/error.js";
import { quote } from "../job/quote.js";
import { isDispatcherId } from "../project/layout.js";
import { EXIT, mainOfDaemon, openProject, parser, SHARED_OPTION, say } from "./command.js";
import { work } from "./work.js";

const WHO = "worker";
const ID = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,150}$/;

/** What is no worker's: the desk of the jobs that wait for their next attempt, and what dispatchers are called. */
function isReserved(id: string): boolean {
  return id === "retry" || isDispatcherId(id);
}

mainOfDaemon(WHO, async () => {
  const args = await parser(
    "worker",
    "worker\n\nRuns the jobs that a dispatcher puts on its desk, one at a time, until it is fired.",
    "First Ctrl-C: finish the job, then go. Second: stop the job; it goes back to the queue.",
  )
    .option("id", { type: "string", requiresArg: true, describe: "a name of its own; never used twice" })
    .option("shared", SHARED_OPTION)
    .option("quiet", { type: "boolean", default: !process.stdout.isTTY, describe: "print nothing" })
    .example("worker", "one worker in this terminal, for the default project")
    .example("worker --project ./results", "for the project in ./results")
    .parseAsync(hideBin(process.argv));
  if (args.id !== undefined && (!ID.test(args.id) || isReserved(args.id))) {
    throw new FjordError(
      "bad-usage",
      `--id: ${quote(args.id)} cannot be a worker's id.`,
      "Up to 151 letters (a to z, A to Z), digits, '_' and '-', which does not come first; " +
        '"retry" and what ends like a dispatcher\'s id (node7-d-1vf8yh8o) are reserved.',
    );
  }
  const tell = (text: string) => {
    if (!args.quiet) say(WHO, text);
  };
  const project = await openProject(args, tell);
  await work(project, { id: args.id, say: tell });
  return EXIT.ok;
});
