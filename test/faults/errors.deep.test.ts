import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import type { RunningCommand } from "../rig/command.js";
import { Dice, SEED } from "../rig/dice.js";
import { until } from "../rig/until.js";
import {
  CALLS,
  Consequences,
  expectExplained,
  type Fault,
  failAt,
  faultsAt,
  hitsIn,
  takeSome,
} from "./errors.js";
import { hasRows, submitShort } from "./kill-sweep.js";
import { Scene } from "./scene.js";
import { type Failpoint, failpointsOf, IS_ALL, needsStrace, sample, trace } from "./strace.js";
import { QUICK, type StartOptions, WitnessedProject } from "./witnessed-project.js";

/** Errors for each daemon. */
const SAMPLE = IS_ALL ? Number.POSITIVE_INFINITY : 8;
/** Largest number of kinds of calls at which one process gets errors. */
const AT_ONCE = 4;
/** After this many daemons with errors, one daemon runs without errors. */
const ROUND = 6;
const TROUBLE = /trouble|missed a heartbeat|was not removed/;

describe("failpoints: an error at one exact call, or for a while from then on, loses no job", function () {
  this.timeout(IS_ALL ? 0 : 120_000);
  this.slow(60_000);
  let project: WitnessedProject;
  let dice: Dice;
  let jobs = 0;
  let runs = 0;

  before(function () {
    needsStrace(this, `${SAMPLE} errors for each daemon`);
  });
  beforeEach(() => {
    dice = new Dice(SEED);
    jobs = 0;
    project = new WitnessedProject({ ...QUICK, retry_backoff: "0.05 s", flush: "yes" });
  });
  afterEach(async function () {
    await Scene.closeLedgers();
    await project.dispose(this.currentTest?.isFailed() ?? false);
  });

  const newFile = () => path.join(project.root, `trace${runs++}`);

  /** Runs a process under strace to its end. @returns its calls that touch the project */
  async function pointsOf(run: (options: StartOptions) => Promise<void>): Promise<Failpoint[]> {
    const file = newFile();
    await run(trace(file, CALLS));
    return failpointsOf(file, project.directory);
  }

  /** Submits jobs that succeed, fail for good, succeed at the second try, or continue from a checkpoint. */
  function submitSome(): void {
    const n = jobs++;
    project.submit({ job: `a${n}`, ends: "jobdone" }, project.line(0));
    project.submit({ job: `b${n}`, ends: "jobfailed", retries: 1 }, project.line(0, 1));
    project.submit({ job: `c${n}`, ends: "jobdone" }, project.line(0.02, "checkpoint"));
    project.submit({ job: `d${n}`, ends: "jobdone", retries: 1 }, project.line(0, "second"));
  }

  async function untilEndedOrDone(daemon: RunningCommand, farewell: NodeJS.Signals): Promise<void> {
    const isDone = () => !daemon.isAlive || project.unended().length === 0;
    await project.until("the daemon or all jobs have ended", isDone);
    daemon.kill(farewell);
    await project.until("the daemon has ended", () => !daemon.isAlive);
  }

  /** Starts one daemon after the other. Each gets its errors, and the next one continues its work. */
  async function sweep(
    faults: Fault[],
    start: (options?: StartOptions) => RunningCommand,
    prepare: () => void | Promise<void>,
    farewell: NodeJS.Signals,
  ): Promise<void> {
    const consequences = new Consequences();
    const all = faults.length;
    let given = 0;
    let round: string[] = [];
    const explained = (error: unknown) =>
      new Error(`${(error as Error).message}\nerrors at:\n${round.join("\n")}`);
    for (let n = 1; faults.length > 0; n++) {
      const some = takeSome(faults, IS_ALL ? AT_ONCE : Math.ceil(SAMPLE / ROUND));
      await prepare();
      const log = newFile();
      const before = project.daemonLogs().length;
      const daemon = start({ ...failAt(some, log), mayFail: true });
      try {
        await untilEndedOrDone(daemon, farewell);
        const hits = hitsIn(log, project.directory);
        const ours = hits.filter((hit) => hit !== undefined);
        round.push(...ours.map(({ line }) => line));
        expectExplained(daemon, hits);
        const isHit = (fault: Fault) =>
          ours.some(({ call, error }) => call === fault.call && error === fault.error);
        given += some.filter(isHit).length;
        // A daemon that ended before it made the call tells nothing about that fault, so the fault is tried again.
        if (ours.length > 0) faults.push(...some.filter((fault) => !isHit(fault)));
        const hasWaited = TROUBLE.test(`${daemon.output}${project.daemonLogs().slice(before)}`);
        consequences.note(ours, daemon.exitCode === 2 ? "ended" : hasWaited ? "waited" : "went on");
        if (n % ROUND !== 0 && faults.length > 0) continue;
        await untilEndedOrDone(start(), farewell);
        await project.untilEnded();
        project.judge({ oneHost: true });
      } catch (error) {
        throw explained(error);
      }
      round = [];
    }
    console.log(`      ${given} of ${all} errors, given ${consequences.errors} times. ${consequences}`);
    expect(given).to.be.at.least(all / 4);
    await project.closeDown();
  }

  it("in a worker", async () => {
    project.dispatcher();
    submitSome();
    const points = await pointsOf((options) => untilEndedOrDone(project.worker(options), "SIGTERM"));
    const faults = sample(faultsAt(points, dice), dice, SAMPLE);
    await sweep(faults, (options) => project.worker(options), submitSome, "SIGTERM");
  });

  it("in a worker that takes several short jobs at once", async () => {
    project.dispatcher();
    const prepare = () => submitShort(project, `s${jobs++}`);
    prepare();
    const points = await pointsOf((options) => untilEndedOrDone(project.worker(options), "SIGTERM"));
    expect(hasRows(points)).to.equal(true);
    const faults = sample(faultsAt(points, dice), dice, SAMPLE);
    await sweep(faults, (options) => project.worker(options), prepare, "SIGTERM");
  });

  it("in a dispatcher that takes back, hands out and decides on retries", async () => {
    const scene = new Scene(project);
    let dead = 0;
    const prepare = async () => {
      const worker = `dead${dead++}`;
      await scene.deadDesk(worker, [`x${dead}`, `y${dead}`, `z${dead}`]);
      submitSome();
    };
    project.worker();
    await project.onDuty(1);
    await prepare();
    const points = await pointsOf((options) => untilEndedOrDone(project.dispatcher(options), "SIGINT"));
    const faults = sample(faultsAt(points, dice), dice, SAMPLE);
    await sweep(faults, (options) => project.dispatcher(options), prepare, "SIGINT");
  });

  it("in a standby, which continues to stand by", async () => {
    const first = project.dispatcher();
    await until("the first dispatcher dispatches", () => first.output.includes("Started on"));
    const tries = (log: string) => readIfThere(log).split("dispatcher.lock").length - 1;
    const points = await pointsOf(async (options) => {
      const standby = project.dispatcher(options);
      const log = options.prefix?.[options.prefix.indexOf("-o") + 1] ?? "";
      await until("the standby has tried to take the dispatcher lock", () => tries(log) > 8);
      standby.kill("SIGINT");
      await standby.exit;
    });
    const begun = points.findIndex(({ call, line }) => call === "openat" && line.includes("jobfailed"));
    const again = points.findIndex(({ line }, n) => n > begun && line.includes("dispatcher.lock"));
    expect(again).to.be.above(0);
    const faults = sample(faultsAt(points.slice(again + 10, again + 40), dice), dice, SAMPLE / 4);
    for (const fault of faults) {
      const log = newFile();
      const standby = project.dispatcher(failAt([fault], log));
      // A call in the project has failed, and a later one has succeeded.
      const goesOn = () => {
        const [before, after] = readIfThere(log).split(/INJECTED(?!.*INJECTED)/s);
        return (
          after !== undefined && before?.includes(project.directory) && after.includes(project.directory)
        );
      };
      await until(
        "the standby has had its errors and goes on",
        () => goesOn() === true || !standby.isAlive,
        () => `${standby.output}\n${fault.error} at ${fault.line}`,
      );
      expect(standby.isAlive, `${standby.output}\n${fault.error} at ${fault.line}`).to.equal(true);
      standby.kill("SIGINT");
      await standby.exit;
    }
    console.log(`      ${faults.length} errors`);
    await project.closeDown();
  });
});

function readIfThere(file: string): string {
  return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
}
