import type { DispatchEvent } from "../../dispatcher/dispatch.js";
import { visible } from "../../job/quote.js";
import type { Project } from "../../library/project.js";
import { emptyStatus } from "../../report/status.js";
import { runCallback } from "../callback.js";
import { DispatchScreen } from "../dispatch-screen.js";
import { offerToFire } from "../fire-offer.js";
import { EXIT, note, printJson, say } from "../main.js";
import { defaultDirectory, openProject, openToRead } from "../open-project.js";
import { flag, SHARED_OPTION, text } from "../option.js";
import { ownJob } from "../own-job.js";
import { statusLine } from "../status-line.js";
import type { Common, Verb } from "../verb.js";

interface Args extends Common {
  readonly stay: boolean;
  readonly statusOnly: boolean;
  readonly callback: string | undefined;
  readonly shared: string | undefined;
  readonly json: boolean;
}

/** The command `dispatcher`, which has no verbs. */
export const verb: Verb<Args> = {
  options: {
    stay: flag("keep running when all jobs have ended"),
    "status-only": flag("print one status line and exit"),
    callback: text("shell command to run when all jobs have ended; gets FJORD_SUCCEEDED, FJORD_FAILED …"),
    shared: SHARED_OPTION,
    json: flag("print events as JSON lines"),
  },
  examples: [
    ["dispatcher", "hand out jobs until all have ended"],
    ["dispatcher --stay", "go on, and wait for more jobs"],
    ["dispatcher --callback 'date > ended'", "run a command at the end"],
  ],
  notes:
    "Ctrl-C stops handing out jobs; the workers finish the jobs that they have.\n" +
    "A second dispatcher stands by until the first one ends.",

  async run(args) {
    if (args.statusOnly) return showStatus(args);
    const project = await openProject(args, (line) => {
      if (!args.json) say("dispatcher", line);
    });
    if (!args.stay) warnOfOwnJob(project);
    const screen = new DispatchScreen(project);
    const stop = stopSignal();
    let isStandingBy = false;
    const result = await project.dispatch({
      stay: args.stay,
      signal: stop,
      ...(process.env.FJORD_LOG_LEVEL !== undefined && { logLevel: process.env.FJORD_LOG_LEVEL }),
      onEvent: async (event) => {
        if (event.kind === "standing-by") isStandingBy = true;
        if (event.kind === "started") isStandingBy = false;
        if (!args.json) screen.show(event);
        else if (event.kind !== "progress") printJson(event);
        if (event.kind === "all-ended") await atEnd(event, args, { project, screen, stop });
      },
    });
    if (result.end === "stopped") {
      const stopped = isStandingBy
        ? "Stopped standing by."
        : "Stopped handing out jobs; the workers finish the jobs that they have.";
      if (!args.json) screen.line(stopped);
      if (!isStandingBy) await offerToFire(project);
      return EXIT.interrupted;
    }
    const { failed, cancelled, blocked } = result;
    return failed + cancelled + blocked.length > 0 ? EXIT.someFailed : EXIT.ok;
  },
};

async function showStatus(args: Args): Promise<number> {
  const project = await openToRead(args);
  const status = (await project?.status()) ?? emptyStatus(defaultDirectory());
  if (args.json) printJson(status);
  else say("dispatcher", statusLine(status));
  return EXIT.ok;
}

/** A dispatcher that runs in a job never sees the end of all jobs, because its own job still runs. */
function warnOfOwnJob(project: Project): void {
  const own = ownJob(project)?.job;
  if (own === undefined) return;
  const waits = `This dispatcher runs in the job ${visible(own)}, and waits for that job, too: it ends only when it is stopped.`;
  note("dispatcher", waits);
}

/** Returns an abort signal that the first Unix signal aborts. A second Unix signal ends the process at once. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(EXIT.interrupted);
      stop.abort();
    });
  }
  return stop.signal;
}

/** Reports held jobs, because somebody may have forgotten them, and runs the callback. */
async function atEnd(
  event: DispatchEvent & { kind: "all-ended" },
  { json, callback }: Args,
  { project, screen, stop }: { project: Project; screen: DispatchScreen; stop: AbortSignal },
): Promise<void> {
  if (!json) screen.showHeld((await project.status()).held);
  if (callback !== undefined) await runCallback(callback, project, event, stop);
}
