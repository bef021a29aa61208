import crypto from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Project } from "../../compose/project.js";
import { type EndedJob, type RunResult, runAll } from "../../compose/run.js";
import { draftsOf } from "../../compose/wanted.js";
import { FjordError } from "../../job/error.js";
import { type Halt, parseHalt } from "../../job/halt.js";
import { describeOutcome } from "../../job/outcome.js";
import { quote, visible } from "../../job/quote.js";
import { homeOfProjects } from "../../project/locate.js";
import { tabulateRun } from "../../report/run-results.js";
import { barLine } from "../bar.js";
import { EXIT } from "../command.js";
import { csvOf } from "../csv.js";
import { type JobArgs, jobOptions, wantedOf } from "../job-options.js";
import { sweepOptions } from "../sweep-options.js";
import { count, printJson, type Verb } from "../verb.js";

interface Args extends JobArgs {
  readonly workers: string | undefined;
  readonly keepOrder: boolean;
  readonly halt: string | undefined;
  readonly bar: boolean;
  readonly results: string | undefined;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** Workers of a run that was killed go by themselves. */
const SETTINGS = "[fjord]\nidle_limit = 10 min\n";
const FRAMES_APART = 100;
const CHUNK = 1 << 16;
/** Failures that are told of one by one. */
const TOLD = 5;

/** `fjord run`: hires, dispatches, shows, fires; ends with the outcome. */
export const verb: Verb<Args> = {
  options: (y) => {
    jobOptions(y)
      .option("workers", {
        alias: "j",
        type: "string",
        requiresArg: true,
        describe: "how many at once [as many as CPUs]",
      })
      .option("keep-order", {
        alias: "k",
        type: "boolean",
        default: false,
        describe: "print what jobs print in the order in which they were given",
      })
      .option("halt", {
        type: "string",
        requiresArg: true,
        describe: "soon,fail=N: begin nothing new after N failures; now,fail=N: stop what runs, too; or N%",
      })
      .option("bar", { type: "boolean", default: false, describe: "show how far it is on standard error" })
      .option("results", { type: "string", requiresArg: true, describe: "write a table of all jobs, CSV" })
      .option("dry-run", {
        type: "boolean",
        default: false,
        describe: "print the command lines, run nothing",
      })
      .option("json", {
        type: "boolean",
        default: false,
        describe: "print the outcome as JSON, not what jobs print",
      })
      .example("fjord run --param n=1..9 -- ./square {n}", "nine jobs, on all CPUs of this host")
      .example("ls *.gz | fjord run --each-line - -- gunzip {line}", "one for each line")
      .example("fjord run --halt now,fail=1 --bar my-jobs/", "job files; the first failure stops all");
    sweepOptions(y);
  },

  async run(args) {
    const halt = haltOf(args.halt);
    const workers = workersOf(args.workers);
    if (args.after !== undefined) {
      throw new FjordError(
        "bad-usage",
        "fjord run has no --after.",
        "Nothing was there before; write after into the job files.",
      );
    }
    const drafts = draftsOf(await wantedOf(args, undefined));
    if (args.dryRun) {
      for (const { runs } of drafts) process.stdout.write(`${runs}\n`);
      return EXIT.ok;
    }
    if (args.results !== undefined) fs.writeFileSync(args.results, ""); // told now that it cannot be written, not later
    const [project, isOwn] = await openForRun(args);
    const printer = new Printer(args.keepOrder ? drafts.map(({ job }) => job) : undefined);
    const screen = new Bar(args.bar, drafts.length);
    const stop = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
    const result = await runAll(project, drafts, {
      workers,
      halt,
      signal: stop.signal,
      onEnd: (ended) => {
        if (args.json || ended.state === "cancelled") return;
        screen.clear();
        printer.print(ended);
      },
      onEvent: (event) => {
        if (event.kind === "progress") screen.show(event.progress);
        if (event.kind === "refused" || event.kind === "trouble") {
          screen.clear();
          note(event.kind === "refused" ? event.reason : event.message);
        }
      },
    });
    screen.clear();
    printer.flush();
    if (args.results !== undefined)
      fs.writeFileSync(args.results, csvOf(tabulateRun(await project.records(), await project.results())));
    return await tellEnd(args, project, isOwn, drafts.length, result, stop.signal.aborted);
  },
};

async function tellEnd(
  args: Args,
  project: Project,
  isOwn: boolean,
  total: number,
  result: RunResult,
  isStopped: boolean,
): Promise<number> {
  const { succeeded, failed, cancelled, elapsed, halted } = result;
  const isGood = succeeded === total;
  const keeps = !isOwn || !isGood;
  if (args.json) {
    printJson({
      total,
      succeeded,
      failed,
      cancelled: total - succeeded - failed,
      halted,
      elapsed,
      ...(keeps && { project: project.directory }),
    });
  } else if (!isGood) {
    const bad = (await project.records()).filter(({ state }) => state === "failed");
    for (const { job, attempts, refused } of bad.slice(0, TOLD)) {
      const outcome = attempts.at(-1)?.outcome;
      note(
        `${visible(job)}: ${visible(refused ?? (outcome === undefined ? "failed" : describeOutcome(outcome)))}`,
      );
    }
    if (bad.length > TOLD) note(`… and ${bad.length - TOLD} more.`);
    const rest = total - succeeded - failed;
    const why = halted ? ` (--halt ${args.halt})` : "";
    note(
      `${count(total)}: ${succeeded} succeeded, ${failed} failed${rest > 0 ? `, ${Math.max(rest, cancelled)} not run or stopped${why}` : ""}.`,
    );
    note(`Their logs: fjord list --project ${project.directory}`);
  }
  if (!keeps) fs.rmSync(project.directory, { recursive: true, force: true });
  if (isStopped) return EXIT.interrupted;
  return isGood ? EXIT.ok : EXIT.someFailed;
}

/** What is said beside what the jobs print. */
function note(text: string): void {
  process.stderr.write(`[fjord] ${text}\n`);
}

function haltOf(text: string | undefined): Halt | undefined {
  if (text === undefined || text === "never") return undefined;
  const halt = parseHalt(text);
  if (halt !== undefined) return halt;
  throw new FjordError(
    "bad-usage",
    `--halt: found ${quote(text)}.`,
    "Write soon,fail=3, now,fail=1 or soon,fail=20%.",
  );
}

function workersOf(text: string | undefined): number {
  if (text === undefined) return os.availableParallelism();
  if (/^\d{1,4}$/.test(text) && Number(text) > 0) return Number(text);
  throw new FjordError(
    "bad-usage",
    `--workers: found ${quote(text)}.`,
    "Write a whole number from 1, such as -j 4.",
  );
}

/** A project of its own; it is removed when all has succeeded, unless it was named. */
async function openForRun(args: Args): Promise<[Project, isOwn: boolean]> {
  if (args.project !== undefined) return [await Project.open(args.project), false];
  const time = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  const name = `run-${time}-${crypto.randomBytes(3).toString("hex")}`;
  const directory = path.join(homeOfProjects(process.env, process.cwd()), name);
  fs.mkdirSync(directory, { recursive: true });
  fs.writeFileSync(path.join(directory, "settings.ini"), SETTINGS);
  return [await Project.open(directory), true];
}

/** One line that overwrites itself. */
class Bar {
  readonly #isOn: boolean;
  readonly #total: number;
  #shownAt = 0;
  #isShown = false;

  constructor(isOn: boolean, total: number) {
    this.#isOn = isOn;
    this.#total = total;
  }

  show(progress: Parameters<typeof barLine>[0]): void {
    const now = performance.now();
    if (!this.#isOn || now - this.#shownAt < FRAMES_APART) return;
    this.#shownAt = now;
    const line = barLine(progress, this.#total);
    this.#isShown = process.stderr.isTTY;
    const frame = `\r\x1b[K${line}`.slice(0, process.stderr.columns || 200);
    process.stderr.write(this.#isShown ? frame : `${line}\n`);
  }

  clear(): void {
    if (this.#isShown) process.stderr.write("\r\x1b[K");
    this.#isShown = false;
  }
}

/** Prints what jobs printed, each as a whole, when they have ended. */
class Printer {
  readonly #order: readonly string[] | undefined;
  readonly #logs = new Map<string, string>();
  #next = 0;

  /** @param order in which they are to be printed; undefined: as they end */
  constructor(order: readonly string[] | undefined) {
    this.#order = order;
  }

  print({ job, log }: EndedJob): void {
    if (this.#order === undefined) {
      printFile(log);
      return;
    }
    this.#logs.set(job, log);
    for (; this.#next < this.#order.length; this.#next++) {
      const next = this.#logs.get(this.#order[this.#next] ?? "");
      if (next === undefined) return;
      printFile(next);
    }
  }

  /** What waits for jobs that never ended. */
  flush(): void {
    for (const job of this.#order?.slice(this.#next) ?? []) {
      const log = this.#logs.get(job);
      if (log !== undefined) printFile(log);
    }
  }
}

function printFile(file: string): void {
  let fd: number;
  try {
    fd = fs.openSync(file, "r");
  } catch {
    return; // gone
  }
  try {
    const buffer = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      const length = fs.readSync(fd, buffer, 0, CHUNK, null);
      if (length === 0) return;
      process.stdout.write(Buffer.from(buffer.subarray(0, length)));
    }
  } finally {
    fs.closeSync(fd);
  }
}
