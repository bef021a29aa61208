import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { Elements } from "../../src/job/element.js";
import { numbersOf, rangesOf } from "../../src/job/numbers.js";
import { changeParts } from "../../src/spool/array-changes.js";
import { expandPart, sendOut } from "../../src/spool/array-elements.js";
import { type PartKind, readArray } from "../../src/spool/array-parts.js";
import { beginArray } from "../../src/spool/arrays.js";
import { stampAt } from "../../src/spool/finish.js";
import { readJobFile } from "../../src/spool/read-job-file.js";
import type { Accepted } from "../checker/checker.js";
import { gather } from "../checker/evidence.js";
import { hasRows, KillSweep, type Victim, workerOf } from "./kill-sweep.js";
import { Scene } from "./scene.js";
import { type Failpoint, IS_ALL, needsStrace } from "./strace.js";
import type { StartOptions, WitnessedProject } from "./witnessed-project.js";

/** Failpoints for each role. */
const SAMPLE = IS_ALL ? Number.POSITIVE_INFINITY : 10;

/** Selects the failpoints that change something about arrays. */
function changesOfArrays(points: readonly Failpoint[]): Failpoint[] {
  const places = /jobarrays|jobqueue|jobheld|jobcancelled|ledger/;
  return points.filter(({ line }) => places.test(line) && !line.includes("O_RDONLY"));
}

describe("failpoints: a kill just before one exact call loses no job", function () {
  this.timeout(SAMPLE > 1000 ? 1_200_000 : 120_000);
  this.slow(60_000);
  let sweep: KillSweep;
  let project: WitnessedProject;

  before(function () {
    needsStrace(this, `${SAMPLE} failpoints each`);
  });
  beforeEach(() => {
    sweep = new KillSweep();
    project = sweep.project;
  });
  afterEach(async function () {
    await project.dispose(this.currentTest?.isFailed() ?? false);
  });

  it("in a worker", async () => {
    project.dispatcher();
    sweep.submitThree();
    const worker = workerOf(sweep);
    await sweep.run(sweep.sample(await sweep.record(worker), SAMPLE), worker);
  });

  it("in a worker that takes several short jobs at once", async () => {
    project.dispatcher();
    sweep.submitShort();
    const worker: Victim = { ...workerOf(sweep), prepare: () => sweep.submitShort() };
    const points = await sweep.record(worker);
    expect(hasRows(points)).to.equal(true);
    await sweep.run(sweep.sample(points, SAMPLE), worker);
  });

  /** A dispatcher to kill. @param prepare brings work before each start */
  function dispatcherWith(prepare: () => Promise<void>, beforeLast?: () => Promise<void>): Victim {
    const start = (options?: StartOptions) => project.dispatcher(options);
    return { start, farewell: "SIGINT", prepare, ...(beforeLast && { beforeLast }) };
  }

  it("in a dispatcher that takes back, hands out and decides on retries", async () => {
    const scene = new Scene(project);
    let dead = 0;
    // The desk of a dead worker has one job that ran, one whose outcome only needs the rename, and one that had not
    // begun.
    const prepare = async () => {
      const worker = `dead${dead++}`;
      await scene.deadDesk(worker, [`x${dead}`, `y${dead}`, `z${dead}`]);
      sweep.submitThree();
    };
    project.worker();
    await project.onDuty(1);
    await prepare();
    const dispatcher = dispatcherWith(prepare);
    await sweep.run(sweep.sample(await sweep.record(dispatcher), SAMPLE), dispatcher);
    await Scene.closeLedgers();
  });

  /** Changes the state of some numbers of an array. If the array has not begun, this begins it. */
  async function change(
    scene: Scene,
    array: string,
    to: PartKind,
    has: (n: number) => boolean,
  ): Promise<void> {
    await beginArray(scene.site, `${array}.ini`);
    const wanted = rangesOf([...numbersOf([{ from: 1, to: 40, step: 1 }])].filter(has));
    await changeParts(scene.site, array, new Set(["waiting", "held", "cancelled"]), to, wanted);
  }

  it("in a dispatcher that makes jobs of arrays with held and cancelled numbers", async () => {
    const scene = new Scene(project);
    let arrays = 0;
    const release = async () => {
      for (let n = 0; n < arrays; n++) await change(scene, `A${n}`, "waiting", (number) => number > 35);
    };
    const prepare = async () => {
      sweep.submitThree();
      await release();
      const array = `A${arrays++}`;
      const hasBegun = arrays % 3 !== 0;
      const isCancelled = (number: number) => hasBegun && number <= 30 && number % 7 === 3;
      project.submitArray(array, 40, project.line(0), (number) => ({
        ends: isCancelled(number) ? "jobcancelled" : "jobdone",
      }));
      if (!hasBegun) return;
      await change(scene, array, "cancelled", isCancelled);
      await change(scene, array, "held", (number) => number > 35);
    };
    project.worker();
    await project.onDuty(1);
    await prepare();
    const dispatcher = dispatcherWith(prepare, release);
    const points = changesOfArrays(await sweep.record(dispatcher));
    await sweep.run(sweep.sample(points, SAMPLE / 1.5), dispatcher);
  });

  /** Makes job files in the queue for the first numbers of an array that has begun. */
  async function toQueue(scene: Scene, array: string, count: number): Promise<void> {
    const { store, layout } = scene;
    const file = layout.arrayFile(array);
    const stamp = (await stampAt(store, file)) ?? "";
    const seen = await readJobFile(store, file, `${array}.ini`);
    const [part] = (await readArray(scene.site, array))?.parts ?? [];
    if (seen.kind !== "valid" || seen.job.array === undefined || part === undefined) throw new Error(array);
    const elements = new Elements(`${array}.ini`, seen.bytes, { ...seen.job, array: seen.job.array });
    const source = { name: array, stamp, textOf: (number: number) => elements.textOf(number) };
    await expandPart(scene.site, source, part, count, false);
    for (const out of (await readArray(scene.site, array))?.outgoing ?? []) {
      await sendOut(scene.site, array, out);
    }
  }

  /** The commands for numbers of an array, some of which are jobs in the queue. */
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
    it(`in fjord ${command} for numbers of an array`, async () => {
      const scene = new Scene(project);
      const { store, layout } = scene;
      let arrays = 0;
      const prepare = async () => {
        const array = `A${arrays++}`;
        project.submitArray(array, 16, project.line(0), () => expected);
        await beginArray(scene.site, `${array}.ini`);
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
        const daemon = project.command("fjord", [command, `${array}_{4..12}`], options);
        await daemon.exit;
        project.judge({ oneHost: true });
        return daemon.exitCode;
      };
      expect(await run(await prepare(), sweep.trace)).to.equal(0);
      const points = sweep.sample(changesOfArrays(sweep.points), SAMPLE / 5);
      let deaths = 0;
      for (const [index, point] of points.entries()) {
        const array = await prepare();
        try {
          if ((await run(array, sweep.killAt(point))) === undefined) deaths++;
          if (index % 2 === 0) await run(array, { mayFail: true });
        } catch (error) {
          throw new Error(`${(error as Error).message}\nkilled before:\n${point.line}`);
        }
      }
      console.log(`      ${deaths} deaths at ${points.length} failpoints`);
      expect(deaths).to.be.above(points.length / 2);
      if (after !== undefined) await project.command("fjord", [after, "A*"], { mayFail: true }).exit;
      project.dispatcher();
      project.worker();
      await project.untilEnded();
      await project.closeDown();
    });
  }

  it("in fjord submit of an array, which leaves the whole array or nothing", async () => {
    let arrays = 0;
    const submit = async (options: StartOptions) => {
      const array = `A${arrays++}`;
      const file = path.join(project.work, `${array}.ini`);
      fs.writeFileSync(file, `[control]\nexecutable: ${project.line(0)}\n[array]\nrange: 1-16\n`);
      const daemon = project.command("fjord", ["submit", file], options);
      await daemon.exit;
      const { places } = gather(project.directory, undefined);
      if ([...places.keys()].some((job) => job.startsWith(`${array}_`))) {
        for (let n = 1; n <= 16; n++) project.accepted.push({ job: `${array}_${n}`, ends: "jobdone" });
      } else expect(daemon.exitCode).to.equal(undefined);
      project.judge({ oneHost: true });
      return daemon.exitCode;
    };
    expect(await submit(sweep.trace)).to.equal(0);
    const all = changesOfArrays(sweep.points);
    const points = sweep.sample(all, SAMPLE / 3);
    const exitCodes = [];
    for (const point of points) exitCodes.push(await submit(sweep.killAt(point)));
    const deaths = exitCodes.filter((code) => code === undefined).length;
    console.log(`      ${deaths} deaths at ${points.length} of ${all.length} failpoints`);
    expect(deaths).to.be.above(points.length / 2);
    project.dispatcher();
    project.worker();
    await project.untilEnded();
    await project.closeDown({ hasKilled: true });
  });
});
