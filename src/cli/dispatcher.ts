import "./small-heap.js";
import readline from "node:readline/promises";
import { hideBin } from "yargs/helpers";
import type { DispatchEvent } from "../compose/dispatch.js";
import type { Project } from "../compose/project.js";
import type { Progress } from "../dispatcher/dispatcher.js";
import { formatDuration } from "../job/duration.js";
import { describeOutcome, type Outcome } from "../job/outcome.js";
import { visible } from "../job/quote.js";
import { shellWord } from "../job/shell-words.js";
import { toType } from "../project/to-type.js";
import { progressLine } from "../report/progress.js";
import { emptyStatus } from "../report/status.js";
import {
  COMPLETE,
  defaultDirectory,
  EXIT,
  mainOfDaemon,
  openProject,
  openToLook,
  parser,
  SHARED_OPTION,
  say,
} from "./command.js";
import { statusLine } from "./status-line.js";

const WHO = "dispatcher";

/** Between two progress lines where they do not overwrite one another, ms; and where they do. */
const LINES_APART = 10_000;
const FRAMES_APART = 100;

/** Failed jobs that are told of by name. */
const FAILURES_TOLD = 10;

/** Names of jobs that one line holds. */
const NAMED = 3;

/** `: a, b, c and 2 more`. */
function nameSome(jobs: readonly string[]): string {
  if (jobs.length === 0) return "";
  const rest = jobs.length - NAMED;
  return `: ${jobs.slice(0, NAMED).map(visible).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

/** ` (exit code 3)` */
function how({ outcome }: { outcome?: Outcome }): string {
  return outcome === undefined ? "" : ` (${describeOutcome(outcome)})`;
}

/** Shows events: one line that overwrites itself on a terminal, now and then a line elsewhere. */
class Screen {
  readonly #project: Project;
  readonly #live = process.stdout.isTTY === true;
  #shownAt = Number.NEGATIVE_INFINITY;
  #shown = "";
  #hasLooked = false;
  #warnedOfNobody = false;
  #trouble = "";
  #failed = 0;

  constructor(project: Project) {
    this.#project = project;
  }

  line(text: string): void {
    if (this.#live && this.#shown !== "") process.stdout.write("\r\x1b[K");
    this.#shown = "";
    say(WHO, text);
  }

  /** What to do when there is nothing to be done: told once each. */
  #hint(progress: Progress): void {
    if (!this.#hasLooked && progress.elapsed === 0) {
      this.line(
        `Nothing to do yet: drop job files into ${visible(this.#project.layout.jobqueue)}; Ctrl-C stops.`,
      );
    }
    this.#hasLooked = true;
    if (progress.waiting > 0 && progress.workers === 0 && !this.#warnedOfNobody) {
      this.#warnedOfNobody = true;
      this.line(
        `${progress.waiting} waiting, and no worker is on duty. Hire some: ${toType("recruiter hire", this.#project.directory)}`,
      );
    }
  }

  progress(progress: Progress): void {
    this.#hint(progress);
    if (progress.elapsed === 0) return;
    const now = performance.now();
    if (now - this.#shownAt < (this.#live ? FRAMES_APART : LINES_APART)) return;
    const text = progressLine(progress);
    if (text === this.#shown) return;
    this.#shownAt = now;
    if (this.#live) {
      process.stdout.write(`\r\x1b[K[${WHO}] ${text}`.slice(0, process.stdout.columns || 200));
    } else say(WHO, text);
    this.#shown = text;
  }

  #whatItPrinted({ job, log }: { job: string; log?: string }): string {
    return `What it printed: ${visible(log ?? `${this.#project.layout.joblogs}/${job}.*.log`)}`;
  }

  /** The first ones by name; who has hundreds looks where they lie. */
  #tellFailed(event: DispatchEvent & { kind: "failed" }): void {
    const { layout } = this.#project;
    if (++this.#failed <= FAILURES_TOLD) {
      this.line(`${visible(event.job)} failed${how(event)}. ${this.#whatItPrinted(event)}`);
    } else if (this.#failed === FAILURES_TOLD + 1) {
      this.line(`More have failed; they are in ${visible(layout.end("jobfailed"))}.`);
    }
  }

  /** All have ended but these: somebody has held them back, and may have forgotten it. */
  tellHeld(held: number): void {
    if (held === 0) return;
    const list = toType("fjord list --state held", this.#project.directory);
    this.line(`Held back: ${held}, until fjord release. ${list} names them.`);
  }

  tell(event: DispatchEvent): void {
    switch (event.kind) {
      case "progress":
        this.progress(event.progress);
        break;
      case "started":
        this.line(`Started on ${this.#project.layout.jobqueue}.`);
        break;
      case "standing-by": {
        const { dispatcher, host, since } = event.behind ?? {};
        this.line(
          `${dispatcher ?? "Another dispatcher"} dispatches here${host ? ` on ${host} since ${since}` : ""}; standing by.`,
        );
        break;
      }
      case "refused":
        this.line(`Refused: ${visible(event.reason)}`);
        break;
      case "worker-lost":
        this.line(
          `Lost ${event.worker}: ${event.reason}. ${event.back} of its jobs back in the queue${nameSome(event.jobs)}${event.givenUp > 0 ? `; ${event.givenUp} given up` : ""}.`,
        );
        break;
      case "retry":
        this.line(
          `${visible(event.job)} failed${how(event)}; attempt ${event.attempt} of ${event.of} follows. ${this.#whatItPrinted(event)}`,
        );
        break;
      case "failed":
        this.#tellFailed(event);
        break;
      case "given-up":
        this.line(
          `${visible(event.job)} given up${how(event)}: ${event.reason}. ${this.#whatItPrinted(event)}`,
        );
        break;
      case "cancelled":
        this.line(`${visible(event.job)} cancelled: ${visible(event.reason)}.`);
        break;
      case "trouble":
        if (event.message !== this.#trouble) this.line(`Trouble with the store, trying on: ${event.message}`);
        this.#trouble = event.message;
        break;
      case "all-ended":
        this.line(
          `No more jobs: ${event.succeeded} succeeded, ${event.failed} failed${event.cancelled > 0 ? `, ${event.cancelled} cancelled` : ""}, in ${formatDuration(event.elapsed)}.`,
        );
        if (event.blocked.length > 0) {
          const explain = `fjord explain ${shellWord(event.blocked[0] ?? "")}`;
          this.line(
            `Left in the queue, as they wait for jobs that are not there, or held, or for each other${nameSome(event.blocked)}. ${toType(explain, this.#project.directory)} tells more.`,
          );
        }
        break;
      default: {
        const unknown: never = event;
        throw new Error(`unknown event: ${JSON.stringify(unknown)}`);
      }
    }
  }
}

async function callBack(
  command: string,
  project: Project,
  event: DispatchEvent & { kind: "all-ended" },
): Promise<void> {
  const { execa } = await import("execa"); // costs a quarter of the start
  const result = await execa(command, {
    shell: true,
    reject: false,
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      FJORD_PROJECT: project.directory,
      FJORD_SUCCEEDED: String(event.succeeded),
      FJORD_FAILED: String(event.failed),
      FJORD_ELAPSED: event.elapsed.toFixed(1),
    },
  });
  // Its command line is not repeated: it may hold a password, and this may go into a log.
  const { failed, exitCode, signal, code } = result;
  const why = exitCode === undefined ? (signal ?? code) : `exit code ${exitCode}`;
  if (failed) say(WHO, `The callback failed: ${why}.`);
}

/** With a terminal: whether the workers should go, too. Ctrl-C and the end of input mean no. */
async function askToFire(project: Project): Promise<void> {
  const workers = await project.workers();
  if (!process.stdin.isTTY || workers.length === 0) return;
  const terminal = readline.createInterface({ input: process.stdin, output: process.stdout });
  try {
    const asked = new AbortController();
    terminal.once("SIGINT", () => asked.abort());
    terminal.once("close", () => asked.abort());
    const answer = await terminal
      .question(`[${WHO}] Fire the ${workers.length} workers? [y/N] `, { signal: asked.signal })
      .catch(() => "");
    if (/^\s*y(es)?\s*$/i.test(answer)) {
      const fired = await project.fire();
      say(WHO, `Fired ${fired.length} workers.`);
    }
  } finally {
    terminal.close();
  }
}

async function showStatus(args: { project: string | undefined; json: boolean }): Promise<number> {
  const project = await openToLook(args);
  const status = (await project?.status()) ?? emptyStatus(defaultDirectory());
  if (args.json) process.stdout.write(`${JSON.stringify(status)}\n`);
  else say(WHO, statusLine(status));
  return EXIT.ok;
}

async function dispatch(args: {
  project: string | undefined;
  stay: boolean;
  statusOnly: boolean;
  callback: string | undefined;
  shared: string | undefined;
  json: boolean;
}): Promise<number> {
  if (args.statusOnly) return showStatus(args);
  const project = await openProject(args, (text) => {
    if (!args.json) say(WHO, text);
  });
  const screen = new Screen(project);
  const stop = new AbortController();
  let signals = 0;
  let isStandingBy = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (signals++ > 0) process.exit(EXIT.interrupted);
      stop.abort();
    });
  }
  const result = await project.dispatch({
    stay: args.stay,
    signal: stop.signal,
    ...(process.env.FJORD_LOG_LEVEL !== undefined && { logLevel: process.env.FJORD_LOG_LEVEL }),
    onEvent: async (event) => {
      if (event.kind === "standing-by") isStandingBy = true;
      if (event.kind === "started") isStandingBy = false;
      if (args.json) {
        if (event.kind !== "progress") process.stdout.write(`${JSON.stringify(event)}\n`);
      } else screen.tell(event);
      if (event.kind !== "all-ended") return;
      if (!args.json) screen.tellHeld((await project.status()).held);
      if (args.callback !== undefined) await callBack(args.callback, project, event);
    },
  });
  if (result.end === "stopped") {
    const stopped = isStandingBy
      ? "Stopped standing by."
      : "Stopped handing out; the workers finish what they have.";
    if (!args.json) screen.line(stopped);
    if (!isStandingBy) await askToFire(project);
    return EXIT.interrupted;
  }
  const { failed, cancelled, blocked } = result;
  return failed + cancelled + blocked.length > 0 ? EXIT.someFailed : EXIT.ok;
}

mainOfDaemon(WHO, async () => {
  const y = parser(
    "dispatcher",
    "dispatcher\n\nWatches the queue, hands jobs to workers, and ends when all have ended: 0 when all succeeded, 1 when some failed.",
    "First Ctrl-C: stop handing out and go; the workers finish what they have. A second dispatcher stands by.",
  )
    .option("stay", { type: "boolean", default: false, describe: "stay on when all jobs have ended" })
    .option("status-only", { type: "boolean", default: false, describe: "print one status line and exit" })
    .option("callback", {
      type: "string",
      requiresArg: true,
      describe: "shell command to run when all jobs have ended; gets FJORD_SUCCEEDED, FJORD_FAILED …",
    })
    .option("shared", SHARED_OPTION)
    .option("json", { type: "boolean", default: false, describe: "print events as JSON lines" })
    .example("dispatcher", "hand out until all jobs have ended")
    .example("dispatcher --stay", "go on, wait for more")
    .example("dispatcher --callback 'date > ended'", "run a command at the end");
  if (process.argv[2] === COMPLETE) {
    const { complete } = await import("./complete.js");
    await complete(y, []);
    return EXIT.ok;
  }
  return dispatch(await y.parseAsync(hideBin(process.argv)));
});
