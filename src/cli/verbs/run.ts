import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { elementsOf } from "../../compose/draft.js";
import { Project } from "../../compose/project.js";
import { type RunResult, runAll } from "../../compose/run.js";
import { draftsOf } from "../../compose/wanted.js";
import { FjordError } from "../../job/error.js";
import { type Halt, parseHalt } from "../../job/halt.js";
import { describeOutcome } from "../../job/outcome.js";
import { quote, visible } from "../../job/quote.js";
import { withoutSecrets } from "../../job/secrets.js";
import { shellQuote, shellWord } from "../../job/shell-words.js";
import { homeOfProjects } from "../../project/locate.js";
import { makeDirectory } from "../../project/make-directory.js";
import { newRunName } from "../../project/run-name.js";
import type { JobRecord } from "../../report/record.js";
import { tabulateRun } from "../../report/run-results.js";
import { Bar } from "../bar.js";
import { EXIT } from "../command.js";
import { csvOf } from "../csv.js";
import { type JobArgs, jobOptions, wantedOf } from "../job-options.js";
import { whenUnheard } from "../main.js";
import { Printer } from "../printer.js";
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
/** Failures that are told of one by one. */
const TOLD = 5;
/** Signals so soon after one another are one, ms: `timeout --foreground` and a terminal may both send it. */
const ONE_SIGNAL = 300;
/** So long, ms, workers that are being hired are waited for to be told to go; and between two looks. */
const HIRING = 5000;
const LOOKS_APART = 50;

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
    const drafts = draftsOf(await wantedOf(args, undefined)).flatMap((draft) => [...elementsOf(draft)]);
    if (args.dryRun) {
      if (args.json)
        printJson(drafts.map(({ job, file, runs }) => ({ job, file, runs: withoutSecrets(runs) })));
      else for (const { runs } of drafts) process.stdout.write(`${runs}\n`);
      return EXIT.ok;
    }
    if (args.results !== undefined) fs.writeFileSync(args.results, ""); // told now that it cannot be written, not later
    const bar = new Bar(args.bar, drafts.length);
    const printer = new Printer(args.keepOrder ? drafts.map(({ job }) => job) : undefined, () => bar.clear());
    let opened: Project | undefined;
    let toCome = 0;
    const stop = stopSignal(printer, {
      onFirst: () => {
        bar.clear();
        note("Stopping all jobs and workers; another Ctrl-C leaves that to the workers.");
      },
      onSecond: async () => {
        bar.clear();
        if (opened !== undefined) await leaveToWorkers(opened, toCome);
      },
    });
    const [project, isOwn] = await openForRun(args);
    opened = project;
    toCome = Math.min(workers, drafts.length);
    const result = await runAll(project, drafts, {
      workers,
      halt,
      signal: stop,
      onEnd: (ended) => {
        if (!args.json && ended.state !== "cancelled") printer.print(ended);
      },
      onEvent: (event) => {
        toCome = 0;
        if (event.kind === "progress") bar.show(event.progress);
        if (event.kind === "refused" || event.kind === "trouble") {
          bar.clear();
          note(event.kind === "refused" ? event.reason : event.message);
        }
      },
    });
    await printer.end();
    bar.end(result);
    const records = await result.records();
    const keeps = !isOwn || result.succeeded !== drafts.length;
    if (args.results !== undefined) {
      fs.writeFileSync(args.results, csvOf(tabulateRun(records, await project.results(), keeps)));
    }
    tellEnd(args, drafts.length, result, records, keeps ? project.directory : undefined);
    if (!keeps) fs.rmSync(project.directory, { recursive: true, force: true, maxRetries: 3 });
    if (stop.aborted) return EXIT.interrupted;
    return result.succeeded === drafts.length ? EXIT.ok : EXIT.someFailed;
  },
};

/** What is done at signals that ask to end, besides that all is stopped. */
interface OnSignal {
  readonly onFirst: () => void;
  /** This process ends when that has been done. */
  readonly onSecond: () => Promise<void>;
}

/**
 * The first Ctrl-C stops what runs, as does a reader that goes away; a second one ends this process without waiting for
 * that, and a third one at once.
 */
function stopSignal(printer: Printer, { onFirst, onSecond }: OnSignal): AbortSignal {
  const stop = new AbortController();
  let signals = 0;
  let last = Number.NEGATIVE_INFINITY;
  const onSignal = () => {
    if (performance.now() - last < ONE_SIGNAL) return;
    last = performance.now();
    signals++;
    if (signals > 2) process.exit(EXIT.interrupted);
    if (signals === 2) {
      onSecond()
        .catch((error) => note((error as Error).message))
        .finally(() => process.exit(EXIT.interrupted));
      return;
    }
    onFirst();
    stop.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  whenUnheard(() => {
    printer.giveUp();
    stop.abort();
  });
  return stop.signal;
}

/**
 * Leaves notes on the desks of all who are on duty, which have them stop their jobs and go, and says so.
 *
 * @param toCome workers that have been hired and may not have come on duty yet
 */
async function leaveToWorkers(project: Project, toCome: number): Promise<void> {
  const directory = shellWord(project.directory);
  note(`Going at once. What is left there: recruiter fire --now --project ${directory}`);
  const until = performance.now() + HIRING;
  for (;;) {
    const fired = await project.fire({ now: true, patience: 0 });
    if (fired.length < toCome && performance.now() < until) {
      await delay(LOOKS_APART);
      continue;
    }
    const left = fired.filter(({ end }) => end === "silent" || end === "finishing");
    if (left.length === 0) note("No worker is left.");
    else note(`Left: ${count(left.length, "worker")}, told to stop what they run and to go.`);
    return;
  }
}

/** @param kept the project's directory, if that stays */
function tellEnd(
  args: Args,
  total: number,
  result: RunResult,
  records: readonly JobRecord[],
  kept: string | undefined,
): void {
  const { succeeded, failed, elapsed, halted } = result;
  const rest = total - succeeded - failed;
  if (args.json) {
    const project = kept === undefined ? {} : { project: kept };
    printJson({ total, succeeded, failed, cancelled: rest, halted, elapsed, ...project });
    return;
  }
  if (succeeded === total) return;
  const bad = records.filter(({ state }) => state === "failed");
  for (const { job, attempts, refused } of bad.slice(0, TOLD)) {
    const outcome = attempts.at(-1)?.outcome;
    const how = refused ?? (outcome === undefined ? "failed" : describeOutcome(outcome));
    note(`${visible(job)}: ${visible(how)}`);
  }
  if (bad.length > TOLD) note(`… and ${bad.length - TOLD} more.`);
  const why = halted ? ` (--halt ${args.halt})` : "";
  const others = rest > 0 ? `, ${rest} not run or stopped${why}` : "";
  note(`${count(total)}: ${succeeded} succeeded, ${failed} failed${others}.`);
  note(`What they printed: fjord log --project ${shellQuote(kept ?? "")} JOB`);
  if (args.project === undefined)
    note("That is kept until it is removed: fjord clean --runs --older-than 7d");
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
  const directory = path.join(homeOfProjects(process.env, process.cwd()), newRunName());
  makeDirectory(directory, 0o700);
  fs.writeFileSync(path.join(directory, "settings.ini"), SETTINGS, { mode: 0o600 });
  return [await Project.open(directory), true];
}
