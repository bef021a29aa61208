import os from "node:os";
import { FjordError } from "../../job/error.js";
import { currentDirectory } from "../../project/current-directory.js";
import { toType } from "../../project/to-type.js";
import type { Hired } from "../../recruiter/hire.js";
import { LAUNCHERS, type LauncherName } from "../../recruiter/launcher.js";
import { closeInheritedFiles } from "../inherited-files.js";
import { EXIT, endSignal, note, printJson, say } from "../main.js";
import { openProject } from "../open-project.js";
import { JSON_OPTION, SHARED_OPTION } from "../option.js";
import type { Common, Verb } from "../verb.js";
import { count } from "../wording.js";

interface Args extends Common {
  readonly count: number | undefined;
  readonly via: LauncherName;
  readonly shared: string | undefined;
  readonly json: boolean;
}

/** `recruiter hire`: starts workers on this host. */
export const verb: Verb<Args> = {
  words: { count: { type: "number", describe: "number of workers [CPUs - 1, at least 1]" } },
  options: {
    via: {
      choices: LAUNCHERS,
      default: "detached",
      describe: "program that starts them; tmux and screen make sessions that you can attach to",
    },
    shared: SHARED_OPTION,
    json: JSON_OPTION,
  },
  examples: [
    ["recruiter hire 4", "four workers on this host"],
    ["recruiter hire 4 --via tmux", "in tmux sessions, to attach to"],
  ],

  async run(args) {
    const { json, via } = args;
    const wanted = wantedWorkers(args.count);
    currentDirectory(); // this refuses a missing directory before a project is made
    const project = await openProject(args, (text) => {
      if (!json) say("recruiter", text);
    });
    closeInheritedFiles(); // otherwise a tmux server that this command starts would keep these files open
    const stop = endSignal();
    const hired = await project.hire(wanted, { via, signal: stop });
    if (json) printJson(hired);
    if (stop.aborted) return tellStopped(hired, wanted, args.project);
    if (json) return EXIT.ok;
    const on = `on ${hired[0]?.worker.host} in project "${project.directory}"`;
    say("recruiter", `Hired ${count(hired.length, "worker")} ${on}.`);
    const { daemonlogs, joblogs } = project.layout;
    say("recruiter", `Logs: ${daemonlogs}; output of the jobs: ${joblogs}.`);
    if (via !== "detached") for (const { whereabouts } of hired) say("recruiter", whereabouts);
    return EXIT.ok;
  },
};

function wantedWorkers(typed: number | undefined): number {
  const wanted = typed ?? Math.max(1, os.availableParallelism() - 1);
  if (Number.isInteger(wanted) && wanted >= 1 && wanted <= 10_000) return wanted;
  throw new FjordError(
    "bad-usage",
    "The number of workers is a whole number from 1 to 10000.",
    "For example: recruiter hire 4",
  );
}

/** @param named the project as the user named it */
function tellStopped(hired: readonly Hired[], wanted: number, named: string | undefined): number {
  const ids = hired.map(({ worker }) => worker.worker).join(" ");
  const how = ids === "" ? "" : ` Fire them with: ${toType(`recruiter fire ${ids}`, named)}`;
  const onDuty = `${hired.length} of ${count(wanted, "worker")} on duty`;
  note("recruiter", `Stopped: ${onDuty}.${how}`);
  return EXIT.interrupted;
}
