import os from "node:os";
import { hideBin } from "yargs/helpers";
import { FjordError } from "../job/error.js";
import { visible } from "../job/quote.js";
import { toType } from "../project/to-type.js";
import type { Fired } from "../recruiter/fire.js";
import { LAUNCHERS, type LauncherName } from "../recruiter/launcher.js";
import {
  COMPLETE,
  defaultDirectory,
  EXIT,
  helpMeant,
  main,
  openProject,
  openToLook,
  parser,
  repeatProject,
  SHARED_OPTION,
  say,
} from "./command.js";
import { workerTable } from "./worker-table.js";

const WHO = "recruiter";

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

async function hire(args: {
  project: string | undefined;
  count: number | undefined;
  via: LauncherName;
  shared: string | undefined;
  json: boolean;
}): Promise<number> {
  const count = args.count ?? Math.max(1, os.availableParallelism() - 1);
  if (!Number.isInteger(count) || count < 1 || count > 10_000) {
    throw new FjordError(
      "bad-usage",
      "The number of workers is a whole number from 1 to 10000.",
      "For example: recruiter hire 4",
    );
  }
  const project = await openProject(args, (text) => {
    if (!args.json) say(WHO, text);
  });
  const hired = await project.hire(count, { via: args.via });
  if (args.json) {
    process.stdout.write(`${JSON.stringify(hired)}\n`);
    return EXIT.ok;
  }
  say(WHO, `Hired ${plural(count, "worker")} on ${hired[0]?.worker.host} in project "${project.directory}".`);
  say(WHO, `Logs: ${project.layout.daemonlogs}; what the jobs print: ${project.layout.joblogs}.`);
  if (args.via !== "detached") for (const { whereabouts } of hired) say(WHO, whereabouts);
  return EXIT.ok;
}

function tellFired({ worker, host, end, job }: Fired): string {
  switch (end) {
    case "gone":
      return `${worker} is gone.`;
    case "finishing":
      return `${worker} finishes ${visible(job ?? "its job")}, then goes.`;
    case "silent":
      return `${worker} on ${host} has been told, and has not answered yet.`;
    case "was-dead":
      return `${worker} was dead already; what it held is back in the queue.`;
    default: {
      const unknown: never = end;
      throw new Error(`unknown end: ${unknown}`);
    }
  }
}

async function fire(args: {
  project: string | undefined;
  workers: string[];
  now: boolean;
  wait: boolean;
  json: boolean;
}): Promise<number> {
  const project = await openToLook(args);
  const directory = project?.directory ?? defaultDirectory();
  if (project === undefined && args.workers.length > 0) {
    const { noSuchWorker } = await import("../recruiter/fire.js");
    throw noSuchWorker(args.workers, directory);
  }
  const fired = (await project?.fire({ workers: args.workers, now: args.now, untilGone: args.wait })) ?? [];
  if (args.json) {
    process.stdout.write(`${JSON.stringify(fired)}\n`);
    return EXIT.ok;
  }
  if (fired.length === 0) {
    say(WHO, `Nobody is on duty in project "${directory}".`);
    return EXIT.ok;
  }
  say(WHO, `Fired ${plural(fired.length, "worker")} in project "${directory}".`);
  for (const one of fired) if (one.end !== "gone") say(WHO, tellFired(one));
  return EXIT.ok;
}

async function list(args: { project: string | undefined; json: boolean }): Promise<number> {
  const project = await openToLook(args);
  const workers = (await project?.workers()) ?? [];
  if (args.json) process.stdout.write(`${JSON.stringify(workers)}\n`);
  else if (workers.length === 0) {
    const directory = project?.directory ?? defaultDirectory();
    say(
      WHO,
      `Nobody is on duty in project "${directory}". Hire workers with: ${toType("recruiter hire", args.project)}`,
    );
  } else process.stdout.write(workerTable(workers));
  return EXIT.ok;
}

const COMMANDS = ["hire", "fire", "list"];
const HIRE = "hire [count]";
const FIRE = "fire [workers..]";
const LIST = "list";
const JSON_OPTION = { type: "boolean", default: false, describe: "print JSON" } as const;

main(WHO, async () => {
  let code: number = EXIT.ok;
  const y = parser(
    "recruiter",
    "recruiter <command>\n\nHires and fires the workers of a project.",
    "",
    COMMANDS,
  )
    .command(
      HIRE,
      "start workers on this host; they outlive the terminal",
      (y) =>
        y
          .positional("count", { type: "number", describe: "how many [CPUs - 1, at least 1]" })
          .option("via", {
            choices: LAUNCHERS,
            default: "detached" as const,
            describe: "what starts them; tmux and screen give sessions to attach to",
          })
          .option("shared", SHARED_OPTION)
          .option("json", JSON_OPTION),
      async (args) => {
        code = await hire(args);
      },
    )
    .command(
      FIRE,
      "let workers finish their jobs and go, on whatever host; all of the project if none is named",
      (y) =>
        y
          .positional("workers", {
            type: "string",
            array: true,
            default: [] as string[],
            describe: "worker ids",
          })
          .option("now", {
            type: "boolean",
            default: false,
            describe: "stop their jobs too: they go back to the queue",
          })
          .option("wait", { type: "boolean", default: false, describe: "wait until all are gone" })
          .option("json", JSON_OPTION),
      async (args) => {
        code = await fire(args).catch((error) => {
          throw repeatProject(error, args.project);
        });
      },
    )
    .command(
      LIST,
      "show who is on duty",
      (y) => y.option("json", JSON_OPTION),
      async (args) => {
        code = await list(args);
      },
    )
    .demandCommand(1, "Say what to do: hire, fire or list.")
    .example("recruiter hire 4", "four workers on this host")
    .example("recruiter hire 4 --via tmux", "in tmux sessions, to attach to")
    .example("recruiter fire", "all workers of the project, on all hosts, after their jobs")
    .example("recruiter fire --now node7-w-0k2j8xqz", "one worker, at once; its job goes back");
  if (process.argv[2] === COMPLETE) {
    const { complete } = await import("./complete.js");
    await complete(y, [HIRE, FIRE, LIST]);
  } else await y.parseAsync(helpMeant(hideBin(process.argv), COMMANDS));
  return code;
});
