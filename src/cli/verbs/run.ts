import fs from "node:fs";
import os from "node:os";
import { FjordError } from "../../job/error.js";
import { type Halt, parseHalt } from "../../job/halt.js";
import { quote } from "../../job/quote.js";
import { withoutSecrets } from "../../job/secrets.js";
import type { Project } from "../../library/project.js";
import { currentDirectory, fromHere } from "../../project/current-directory.js";
import { refuseUnlessUtf8 } from "../../project/utf8-path.js";
import { tabulateRun } from "../../report/run-results.js";
import { type RunOptions, type RunResult, runAll } from "../../run/run-all.js";
import { type Draft, elementsOf } from "../../submission/draft.js";
import { Bar } from "../bar.js";
import { crewText, withWhatStays } from "../crew-text.js";
import { csvOf } from "../csv.js";
import { draftsWanted, FILES, JOB_OPTIONS, type JobArgs } from "../job-options.js";
import { EXIT, hasLostOutput, note, printJson } from "../main.js";
import { flag, text } from "../option.js";
import { Printer } from "../printer.js";
import { openRunProject, type RunProject } from "../run-project.js";
import { printRun, reportRun, writeTable } from "../run-report.js";
import { leaveToWorkers, stopSignal } from "../run-stop.js";
import { SWEEP_OPTIONS } from "../sweep-options.js";
import type { Verb } from "../verb.js";

interface Args extends JobArgs {
  readonly workers: string | undefined;
  readonly keepOrder: boolean;
  readonly halt: string | undefined;
  readonly bar: boolean;
  readonly results: string | undefined;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** `fjord run`: hires workers, dispatches jobs, prints their output, and fires the workers. */
export const verb: Verb<Args> = {
  words: { files: FILES },
  options: {
    ...JOB_OPTIONS,
    workers: { ...text("number of jobs that run at once [number of CPUs]"), alias: "j" },
    "keep-order": {
      ...flag("print the output of the jobs in the order in which they were given"),
      alias: "k",
    },
    halt: text(
      "soon,fail=N: begin no job after N failures; now,fail=N: stop running jobs, too; N% is a share",
    ),
    bar: flag("show a progress bar on standard error"),
    results: text("FILE: write a table of all jobs, as CSV"),
    "dry-run": flag("print the command lines, and run nothing"),
    json: flag("print the outcome as JSON instead of the output of the jobs"),
    ...SWEEP_OPTIONS,
  },
  examples: [
    ["fjord run --param n=1..9 -- ./square {n}", "nine jobs, on all CPUs of this host"],
    ["ls *.gz | fjord run --each-line - -- gunzip {line}", "one job for each line"],
    ["fjord run --halt now,fail=1 --bar my-jobs/", "job files; the first failure stops all"],
  ],

  async run(args) {
    const halt = haltOf(args.halt);
    const workers = workersOf(args.workers);
    if (args.after !== undefined) {
      throw new FjordError(
        "bad-usage",
        "fjord run has no --after.",
        "Its project holds no earlier jobs. Write after into the job files.",
      );
    }
    const drafts = await draftsOfRun(args);
    if (args.dryRun) return printDrafts(drafts, args.json);
    refuseUnlessUtf8("The current directory", currentDirectory()); // the workers start there
    if (args.results !== undefined) fs.writeFileSync(fromHere(args.results), ""); // so an error is reported before the run
    const run = new Run(args, drafts);
    const result = await run.start({ workers, halt });
    return endRun(args, drafts.length, result, run);
  },
};

async function draftsOfRun(args: Args): Promise<Draft[]> {
  const drafts = await draftsWanted(args, undefined, { directory: currentDirectory(), table: args.results });
  return drafts.flatMap((draft) => [...elementsOf(draft)]);
}

function printDrafts(drafts: readonly Draft[], json: boolean): number {
  if (json) printJson(drafts.map(({ job, file, runs }) => ({ job, file, runs: withoutSecrets(runs) })));
  else for (const { runs } of drafts) process.stdout.write(`${runs}\n`);
  return EXIT.ok;
}

/** A run and the lines that it prints: the output of the jobs, the bar, and notes beside them. */
class Run {
  readonly #args: Args;
  readonly #drafts: readonly Draft[];
  readonly #bar: Bar;
  readonly #printer: Printer;
  readonly #stop: AbortSignal;
  #opened: RunProject | undefined;
  /** Number of workers that are being hired and may not be on duty yet. */
  #toCome = 0;

  constructor(args: Args, drafts: readonly Draft[]) {
    this.#args = args;
    this.#drafts = drafts;
    this.#bar = new Bar(args.bar, drafts.length);
    const order = args.keepOrder ? drafts.map(({ job }) => job) : undefined;
    this.#printer = new Printer(order, () => this.#bar.clear());
    const onSignal = {
      onFirst: () => this.#note("Stopping all jobs and workers; another Ctrl-C leaves that to the workers."),
      onSecond: async () => {
        this.#bar.clear();
        if (this.#opened !== undefined) await leaveToWorkers(this.#opened.project, this.#toCome);
      },
    };
    this.#stop = stopSignal(onSignal, () => this.#printer.giveUp());
  }

  /** Runs all jobs. Resolves when all output of the jobs has been printed. */
  async start(options: Pick<RunOptions, "workers" | "halt">): Promise<RunResult> {
    this.#opened = await openRunProject(this.#args.project);
    const { project } = this.#opened;
    this.#toCome = Math.min(options.workers, this.#drafts.length);
    const result = await runAll(project, this.#drafts, { ...options, ...this.#listeners() }).catch(
      (error) => {
        this.#bar.clear();
        throw withWhatStays(error, project);
      },
    );
    await this.#printer.end();
    this.#bar.end(result);
    return result;
  }

  get isStopped(): boolean {
    return this.#stop.aborted;
  }

  get project(): RunProject {
    if (this.#opened === undefined) throw new Error("the run has no project yet");
    return this.#opened;
  }

  #listeners(): Pick<RunOptions, "signal" | "onEnd" | "onEvent" | "onCrew"> {
    return {
      signal: this.#stop,
      onEnd: (ended) => {
        if (!this.#args.json && ended.state !== "cancelled") this.#printer.print(ended);
      },
      onEvent: (event) => {
        this.#toCome = 0;
        if (event.kind === "progress") this.#bar.show(event.progress);
        if (event.kind === "refused") this.#note(event.reason);
        if (event.kind === "trouble") this.#note(event.message);
      },
      onCrew: (news) => this.#note(crewText(news)),
    };
  }

  #note(text: string): void {
    this.#bar.clear();
    note("fjord", text);
  }
}

/** Reports the end of a run, and removes the run's own project after a success. @returns the exit code */
async function endRun(args: Args, total: number, result: RunResult, run: Run): Promise<number> {
  const { project, isOwn } = run.project;
  const records = await result.records();
  const hasSucceeded = result.succeeded === total;
  let keeps = !isOwn || !hasSucceeded || hasLostOutput();
  let hasTable = true;
  if (args.results !== undefined) {
    const table = csvOf(tabulateRun(records, await project.results(), keeps));
    hasTable = writeTable(fromHere(args.results), table);
    keeps ||= !hasTable;
  }
  const kept = keeps ? project.directory : undefined;
  const ended = { total, result, records, kept, isNamed: args.project !== undefined, halt: args.halt };
  if (args.json) printRun(ended);
  else reportRun(ended);
  if (!keeps) removeProject(project);
  if (!hasTable) return EXIT.refused;
  if (run.isStopped) return EXIT.interrupted;
  return hasSucceeded ? EXIT.ok : EXIT.someFailed;
}

function removeProject({ directory }: Project): void {
  fs.rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
}

function haltOf(typed: string | undefined): Halt | undefined {
  if (typed === undefined || typed === "never") return undefined;
  const halt = parseHalt(typed);
  if (halt !== undefined) return halt;
  throw new FjordError(
    "bad-usage",
    `--halt: found ${quote(typed)}.`,
    "Write soon,fail=3, now,fail=1 or soon,fail=20%.",
  );
}

function workersOf(typed: string | undefined): number {
  if (typed === undefined) return os.availableParallelism();
  if (/^\d{1,4}$/.test(typed) && Number(typed) > 0) return Number(typed);
  throw new FjordError(
    "bad-usage",
    `--workers: found ${quote(typed)}.`,
    "Write a whole number from 1, such as -j 4.",
  );
}
