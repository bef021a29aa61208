import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { Elements } from "../../src/job/element.js";
import { numbersOf, rangesOf } from "../../src/job/numbers.js";
import { type PartKind, readArray } from "../../src/spool/array-parts.js";
import { beginArray, changeParts, expandPart, sendOut } from "../../src/spool/arrays.js";
import { stampAt } from "../../src/spool/finish.js";
import { look } from "../../src/spool/intake.js";
import { readArrays } from "../checker/arrays.js";
import type { Accepted } from "../checker/checker.js";
import { gather } from "../checker/evidence.js";
import { Bench, type Daemon, Dice, QUICK, SEED, type StartOptions, until } from "./harness.js";
import { Scene } from "./scene.js";
import { type Failpoint, failpointsOf, IS_ALL, needsStrace, sample, trace, traced } from "./strace.js";

/** What changes the project's directory, and what is read of it. */
const CALLS = ["rename", "link", "unlink", "mkdir", "rmdir", "openat", "write", "utimensat"];
/** Failpoints for each role. */
const SAMPLE = IS_ALL ? Number.POSITIVE_INFINITY : 10;
/** So many deaths, and then one lives on to the end. */
const ROUND = 6;

function traceTo(file: string): { prefix: string[] } {
  return trace(file, CALLS);
}

function killAt({ call, n }: Failpoint): { prefix: string[] } {
  return traced("-o", "/dev/null", "-e", `trace=${call}`, "-e", `inject=${call}:signal=KILL:when=${n}`);
}

/** Those where something is changed that has to do with arrays. */
function changesOfArrays(points: readonly Failpoint[]): Failpoint[] {
  const places = /jobarrays|jobqueue|jobheld|jobcancelled|ledger/;
  return points.filter(({ line }) => places.test(line) && !line.includes("O_RDONLY"));
}

describe("failpoints: killed at one exact call, before it is made", function () {
  this.timeout(SAMPLE > 1000 ? 1_200_000 : 120_000);
  this.slow(60_000);
  let bench: Bench;
  let dice: Dice;
  let jobs = 0;
  let traceFile: string;

  before(function () {
    needsStrace(this, `${SAMPLE} failpoints each`);
  });
  beforeEach(() => {
    dice = new Dice(SEED);
    jobs = 0;
    bench = new Bench({ ...QUICK, retry_backoff: "0.05 s" });
    traceFile = path.join(bench.base, "trace");
  });
  afterEach(async function () {
    await bench.dispose(this.currentTest?.isFailed() ?? false);
  });

  /** Three jobs: one that succeeds at once, one that fails twice, one that is to be run again and takes a moment. */
  function submitThree(): void {
    const n = jobs++;
    bench.submit({ job: `a${n}`, ends: "jobdone" }, bench.line(0));
    bench.submit({ job: `b${n}`, ends: "jobfailed", retries: 1 }, bench.line(0, 1));
    bench.submit({ job: `c${n}`, ends: "jobdone" }, bench.line(0.02, "checkpoint"));
  }

  /** Numbers of arrays that are held come to no end. */
  function isHeld(): (job: string) => boolean {
    const held = readArrays(bench.root).placed.filter(([, place]) => place === "array held");
    const jobs = new Set(held.map(([job]) => job));
    return (job) => jobs.has(job);
  }

  /** Waits until it was killed, or all is done and it has gone when told to. */
  async function untilKilledOrDone(daemon: Daemon, farewell: NodeJS.Signals): Promise<boolean> {
    const isDone = () => !daemon.isAlive() || bench.unended().every(isHeld());
    await until("it was killed, or all has ended", isDone, 60, () => bench.describe());
    daemon.kill(farewell);
    await until(
      "it has gone",
      () => !daemon.isAlive(),
      20,
      () => bench.describe(),
    );
    return daemon.exitCode === undefined;
  }

  /** One after the other dies at its failpoint; whoever comes next goes on. */
  async function sweep(
    points: readonly Failpoint[],
    start: (options?: { prefix: string[] }) => Daemon,
    prepare: () => void | Promise<void>,
    farewell: NodeJS.Signals,
    beforeLast: () => Promise<void> = async () => undefined,
  ): Promise<void> {
    const all = sample(points, dice, SAMPLE);
    let deaths = 0;
    for (const [index, point] of all.entries()) {
      await prepare();
      if (await untilKilledOrDone(start(killAt(point)), farewell)) deaths++;
      if (index % ROUND !== ROUND - 1 && index !== all.length - 1) continue;
      await beforeLast();
      await untilKilledOrDone(start(), farewell);
      await bench.untilEnded();
      try {
        bench.judge({ oneHost: true });
      } catch (error) {
        const round = all.slice(Math.max(0, index - ROUND + 1), index + 1).map(({ line }) => line);
        throw new Error(`${(error as Error).message}\nkilled before:\n${round.join("\n")}`);
      }
    }
    console.log(`      ${deaths} deaths at ${all.length} of ${points.length} failpoints`);
    expect(deaths).to.be.above(all.length / 2);
    await bench.closeDown();
  }

  it("a worker", async () => {
    bench.dispatcher();
    submitThree();
    expect(await untilKilledOrDone(bench.worker(traceTo(traceFile)), "SIGTERM")).to.equal(false);
    const points = failpointsOf(traceFile, bench.root);
    await sweep(points, (options) => bench.worker(options), submitThree, "SIGTERM");
  });

  it("a dispatcher that takes back, hands out and decides on retries", async () => {
    const scene = new Scene(bench);
    let dead = 0;
    // A dead worker's desk: a job that ran, one that had ended but for the rename, one that had not begun.
    const prepare = async () => {
      const worker = `dead${dead++}`;
      await scene.deadDesk(worker, [`x${dead}`, `y${dead}`, `z${dead}`]);
      submitThree();
    };
    bench.worker();
    await bench.onDuty(1);
    await prepare();
    expect(await untilKilledOrDone(bench.dispatcher(traceTo(traceFile)), "SIGINT")).to.equal(false);
    const points = failpointsOf(traceFile, bench.root);
    await sweep(points, (options) => bench.dispatcher(options), prepare, "SIGINT");
    await Scene.closeLedgers();
  });

  /** Numbers of an array, which begins with that, get another kind. */
  async function change(
    scene: Scene,
    array: string,
    to: PartKind,
    has: (n: number) => boolean,
  ): Promise<void> {
    const { store, layout } = scene;
    await beginArray(store, layout, `${array}.ini`);
    const wanted = rangesOf([...numbersOf([{ from: 1, to: 40, step: 1 }])].filter(has));
    await changeParts(store, layout, array, new Set(["waiting", "held", "cancelled"]), to, wanted);
  }

  it("a dispatcher that makes jobs of arrays, of which some are held and some cancelled", async () => {
    const scene = new Scene(bench);
    let arrays = 0;
    const release = async () => {
      for (let n = 0; n < arrays; n++) await change(scene, `A${n}`, "waiting", (number) => number > 35);
    };
    const prepare = async () => {
      submitThree();
      await release();
      const array = `A${arrays++}`;
      const hasBegun = arrays % 3 !== 0;
      const isCancelled = (number: number) => hasBegun && number <= 30 && number % 7 === 3;
      bench.submitArray(array, 40, bench.line(0), (number) => ({
        ends: isCancelled(number) ? "jobcancelled" : "jobdone",
      }));
      if (!hasBegun) return;
      await change(scene, array, "cancelled", isCancelled);
      await change(scene, array, "held", (number) => number > 35);
    };
    bench.worker();
    await bench.onDuty(1);
    await prepare();
    expect(await untilKilledOrDone(bench.dispatcher(traceTo(traceFile)), "SIGINT")).to.equal(false);
    const points = changesOfArrays(failpointsOf(traceFile, bench.root));
    const some = sample(points, dice, SAMPLE / 1.5);
    await sweep(some, (options) => bench.dispatcher(options), prepare, "SIGINT", release);
  });

  /** The first numbers of an array that has begun become jobs in the queue. */
  async function toQueue({ store, layout }: Scene, array: string, count: number): Promise<void> {
    const file = layout.arrayFile(array);
    const stamp = (await stampAt(store, file)) ?? "";
    const seen = await look(store, file, `${array}.ini`);
    const [part] = (await readArray(store, layout, array))?.parts ?? [];
    if (seen.kind !== "valid" || seen.job.array === undefined || part === undefined) throw new Error(array);
    const elements = new Elements(`${array}.ini`, seen.bytes, { ...seen.job, array: seen.job.array });
    const source = { name: array, stamp, textOf: (number: number) => elements.textOf(number) };
    await expandPart(store, layout, source, part, count, false);
    for (const out of (await readArray(store, layout, array))?.outgoing ?? []) {
      await sendOut(store, layout, array, out);
    }
  }

  /** What is done with numbers of an array, of which some are jobs in the queue. */
  const deeds: { command: string; before?: PartKind; after?: string; expected?: Omit<Accepted, "job"> }[] = [
    { command: "cancel", expected: { mayBeCancelled: true } },
    { command: "hold", after: "release" },
    { command: "release", before: "held", after: "release" },
    {
      command: "retry",
      before: "cancelled",
      after: "retry",
      expected: { ends: "jobdone", mayBeCancelled: true },
    },
  ];
  for (const { command, before, after, expected = { ends: "jobdone" } as const } of deeds) {
    it(`fjord ${command} of numbers of an array`, async () => {
      const scene = new Scene(bench);
      const { store, layout } = scene;
      let arrays = 0;
      const prepare = async () => {
        const array = `A${arrays++}`;
        bench.submitArray(array, 16, bench.line(0), () => expected);
        await beginArray(store, layout, `${array}.ini`);
        await toQueue(scene, array, 5);
        if (before === undefined) return array;
        await change(scene, array, before, (number) => number <= 12);
        for (const file of [`${array}_4.ini`, `${array}_5.ini`]) {
          const room = before === "held" ? layout.held(file) : layout.ended("jobcancelled", file);
          await store.rename(layout.queued(file), room);
        }
        return array;
      };
      const run = async (array: string, options: StartOptions) => {
        const daemon = bench.command("fjord", [command, `${array}_{4..12}`], options);
        await daemon.ended;
        bench.judge({ oneHost: true });
        return daemon.exitCode;
      };
      expect(await run(await prepare(), traceTo(traceFile))).to.equal(0);
      const points = sample(changesOfArrays(failpointsOf(traceFile, bench.root)), dice, SAMPLE / 5);
      let deaths = 0;
      for (const [index, point] of points.entries()) {
        const array = await prepare();
        try {
          if ((await run(array, killAt(point))) === undefined) deaths++;
          if (index % 2 === 0) await run(array, { mayFail: true });
        } catch (error) {
          throw new Error(`${(error as Error).message}\nkilled before:\n${point.line}`);
        }
      }
      console.log(`      ${deaths} deaths at ${points.length} failpoints`);
      expect(deaths).to.be.above(points.length / 2);
      if (after !== undefined) await bench.command("fjord", [after, "A*"], { mayFail: true }).ended;
      bench.dispatcher();
      bench.worker();
      await bench.untilEnded();
      await bench.closeDown();
    });
  }

  it("fjord submit of an array: all of it is there, or nothing", async () => {
    let arrays = 0;
    const submit = async (options: StartOptions) => {
      const array = `A${arrays++}`;
      const file = path.join(bench.directory, `${array}.ini`);
      fs.writeFileSync(file, `[control]\nexecutable: ${bench.line(0)}\n[array]\nrange: 1-16\n`);
      const daemon = bench.command("fjord", ["submit", file], options);
      await daemon.ended;
      const { places } = gather(bench.root, undefined);
      if ([...places.keys()].some((job) => job.startsWith(`${array}_`))) {
        for (let n = 1; n <= 16; n++) bench.accepted.push({ job: `${array}_${n}`, ends: "jobdone" });
      } else expect(daemon.exitCode).to.equal(undefined);
      bench.judge({ oneHost: true });
      return daemon.exitCode;
    };
    expect(await submit(traceTo(traceFile))).to.equal(0);
    const all = changesOfArrays(failpointsOf(traceFile, bench.root));
    const points = sample(all, dice, SAMPLE / 3);
    const exitCodes = [];
    for (const point of points) exitCodes.push(await submit(killAt(point)));
    const deaths = exitCodes.filter((code) => code === undefined).length;
    console.log(`      ${deaths} deaths at ${points.length} of ${all.length} failpoints`);
    expect(deaths).to.be.above(points.length / 2);
    bench.dispatcher();
    bench.worker();
    await bench.untilEnded();
    await bench.closeDown({ hasKilled: true });
  });
});
