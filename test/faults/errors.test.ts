import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
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
import { Bench, type Daemon, Dice, QUICK, SEED, type StartOptions, until } from "./harness.js";
import { Scene } from "./scene.js";
import { type Failpoint, failpointsOf, IS_ALL, needsStrace, sample, trace } from "./strace.js";

/** Errors for each daemon. */
const SAMPLE = IS_ALL ? Number.POSITIVE_INFINITY : 8;
/** Errors at calls of as many kinds that one process gets, at the most. */
const AT_ONCE = 4;
/** So many have errors, and then one lives on without. */
const ROUND = 6;
const TROUBLE = /trouble|missed a heartbeat|was not removed/;

describe("failpoints: an error at one exact call, or for a while from there on", function () {
  this.timeout(IS_ALL ? 0 : 120_000);
  this.slow(60_000);
  let bench: Bench;
  let dice: Dice;
  let jobs = 0;
  let runs = 0;

  before(function () {
    needsStrace(this, `${SAMPLE} errors for each daemon`);
  });
  beforeEach(() => {
    dice = new Dice(SEED);
    jobs = 0;
    bench = new Bench({ ...QUICK, retry_backoff: "0.05 s", flush: "yes" });
  });
  afterEach(async function () {
    await Scene.closeLedgers();
    await bench.dispose(this.currentTest?.isFailed() ?? false);
  });

  const newFile = () => path.join(bench.base, `trace${runs++}`);

  /** The calls that touch the project, of a process that is traced to its end. */
  async function pointsOf(run: (options: StartOptions) => Promise<void>): Promise<Failpoint[]> {
    const file = newFile();
    await run(trace(file, CALLS));
    return failpointsOf(file, bench.root);
  }

  /** Jobs that succeed, fail for good, succeed when they are tried again, and go on from a checkpoint. */
  function submitSome(): void {
    const n = jobs++;
    bench.submit({ job: `a${n}`, ends: "jobdone" }, bench.line(0));
    bench.submit({ job: `b${n}`, ends: "jobfailed", retries: 1 }, bench.line(0, 1));
    bench.submit({ job: `c${n}`, ends: "jobdone" }, bench.line(0.02, "checkpoint"));
    bench.submit({ job: `d${n}`, ends: "jobdone", retries: 1 }, bench.line(0, "second"));
  }

  async function untilEndedOrDone(daemon: Daemon, farewell: NodeJS.Signals): Promise<void> {
    const isDone = () => !daemon.isAlive() || bench.unended().length === 0;
    await until("it has ended, or all jobs have", isDone, 60, () => bench.describe());
    daemon.kill(farewell);
    await until(
      "it has gone",
      () => !daemon.isAlive(),
      20,
      () => bench.describe(),
    );
  }

  /** One after the other gets its errors; whoever comes next goes on. */
  async function sweep(
    faults: Fault[],
    start: (options?: StartOptions) => Daemon,
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
      const before = bench.daemonLogs().length;
      const daemon = start({ ...failAt(some, log), mayFail: true });
      try {
        await untilEndedOrDone(daemon, farewell);
        const hits = hitsIn(log, bench.root);
        const ours = hits.filter((hit) => hit !== undefined);
        round.push(...ours.map(({ line }) => line));
        expectExplained(daemon, hits);
        const isHit = (fault: Fault) =>
          ours.some(({ call, error }) => call === fault.call && error === fault.error);
        given += some.filter(isHit).length;
        // Who has ended before it came to a call has told nothing of that.
        if (ours.length > 0) faults.push(...some.filter((fault) => !isHit(fault)));
        const hasWaited = TROUBLE.test(`${daemon.output}${bench.daemonLogs().slice(before)}`);
        consequences.note(ours, daemon.exitCode === 2 ? "ended" : hasWaited ? "waited" : "went on");
        if (n % ROUND !== 0 && faults.length > 0) continue;
        await untilEndedOrDone(start(), farewell);
        await bench.untilEnded();
        bench.judge({ oneHost: true });
      } catch (error) {
        throw explained(error);
      }
      round = [];
    }
    console.log(`      ${given} of ${all} errors, given ${consequences.errors} times. ${consequences}`);
    expect(given).to.be.at.least(all / 4);
    await bench.closeDown();
  }

  it("a worker", async () => {
    bench.dispatcher();
    submitSome();
    const points = await pointsOf((options) => untilEndedOrDone(bench.worker(options), "SIGTERM"));
    const faults = sample(faultsAt(points, dice), dice, SAMPLE);
    await sweep(faults, (options) => bench.worker(options), submitSome, "SIGTERM");
  });

  it("a dispatcher that takes back, hands out and decides on retries", async () => {
    const scene = new Scene(bench);
    let dead = 0;
    const prepare = async () => {
      const worker = `dead${dead++}`;
      await scene.deadDesk(worker, [`x${dead}`, `y${dead}`, `z${dead}`]);
      submitSome();
    };
    bench.worker();
    await bench.onDuty(1);
    await prepare();
    const points = await pointsOf((options) => untilEndedOrDone(bench.dispatcher(options), "SIGINT"));
    const faults = sample(faultsAt(points, dice), dice, SAMPLE);
    await sweep(faults, (options) => bench.dispatcher(options), prepare, "SIGINT");
  });

  it("a dispatcher that stands by, and goes on standing by", async () => {
    const first = bench.dispatcher();
    await until("it dispatches", () => first.output.includes("Started on"));
    const tries = (log: string) => readIfThere(log).split("dispatcher.lock").length - 1;
    const points = await pointsOf(async (options) => {
      const standby = bench.dispatcher(options);
      const log = options.prefix?.[options.prefix.indexOf("-o") + 1] ?? "";
      await until("it has tried to take the seat", () => tries(log) > 8);
      standby.kill("SIGINT");
      await standby.ended;
    });
    const begun = points.findIndex(({ call, line }) => call === "openat" && line.includes("jobfailed"));
    const again = points.findIndex(({ line }, n) => n > begun && line.includes("dispatcher.lock"));
    expect(again).to.be.above(0);
    const faults = sample(faultsAt(points.slice(again + 10, again + 40), dice), dice, SAMPLE / 4);
    for (const fault of faults) {
      const log = newFile();
      const standby = bench.dispatcher(failAt([fault], log));
      // Such a call has failed, and one after it has not.
      const goesOn = () => {
        const [before, after] = readIfThere(log).split(/INJECTED(?!.*INJECTED)/s);
        return after !== undefined && before?.includes(bench.root) && after.includes(bench.root);
      };
      await until(
        "it has had its errors, and goes on",
        () => goesOn() === true || !standby.isAlive(),
        30,
        () => `${standby.output}\n${fault.error} at ${fault.line}`,
      );
      expect(standby.isAlive(), `${standby.output}\n${fault.error} at ${fault.line}`).to.equal(true);
      standby.kill("SIGINT");
      await standby.ended;
    }
    console.log(`      ${faults.length} errors`);
    await bench.closeDown();
  });
});

function readIfThere(file: string): string {
  return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
}
