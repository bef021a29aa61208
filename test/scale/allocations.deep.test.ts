import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { deskKind } from "../../src/project/entry-names.js";
import { type Announcement, announce } from "../../src/spool/announcement.js";
import { ownPidSpace } from "../../src/spool/identity.js";
import type { CommandName, RunningCommand } from "../rig/command.js";
import { projectPerTest, skip } from "../rig/with-project.js";

/** No timer expires during the test, so that a slow or busy machine allocates the same. */
const UNHURRIED = "[fjord]\nbeat = 60 s\npoll = 60 s\n";
const METER = new URL("allocation-meter.js", import.meta.url);
/** Jobs that the dispatcher finds in the queue. */
const QUEUED = 5000;
/**
 * Age at which each file counts as complete. For a new file, the calls of the dispatcher depend on the host
 * (settling.ts).
 */
const LONG_AGO = new Date(1e12);
/**
 * Time per job in seconds of a worker that is fast enough for the fullest desk, and the number of jobs on that desk
 * (plan.ts).
 */
const PACE = 0.001;
const FULL = 513;
/** Desks to fill until all code has run often, and desks that count. */
const WARM = 3;
const COUNTED = 5;
const KB = 1024;
/**
 * KB per job, about half as much again as measured: 16.5 to read a job, 10.4 to hand one out, and 75 to 80 to run one.
 * For the last two, the smallest value of several desks counts. On a machine with eight times more work than CPUs, the
 * readings differed by no more than this.
 */
const LIMITS = { read: 25, handOut: 16, run: 115 };

describe("scale: what a job allocates", () => {
  const project = projectPerTest(UNHURRIED);

  before(function () {
    if (os.platform() !== "linux") skip(this, "measured on Linux");
  });

  const meter = () => path.join(project().root, "allocations");

  function start(name: CommandName, ...args: string[]): RunningCommand {
    const env = {
      // Leave the allocations of the coverage tool out.
      NODE_V8_COVERAGE: undefined,
      NODE_OPTIONS: `--import=${METER}`,
      FJORD_TEST_ALLOCATIONS: meter(),
    };
    fs.writeFileSync(meter(), "");
    return project().start(name, args, { env });
  }

  const readings = () => fs.readFileSync(meter(), "utf8").split("\n").slice(0, -1).map(Number);

  /** Bytes that a process has allocated since the last reading. */
  async function read(daemon: RunningCommand): Promise<number> {
    const before = readings().length;
    daemon.kill("SIGUSR2");
    await project().until("the meter is read", () => readings().length > before);
    return readings().at(-1) as number;
  }

  function write(place: (file: string) => string, count: number, prefix: string): void {
    for (let n = 0; n < count; n++) {
      const file = place(`${prefix}${String(n).padStart(4, "0")}.ini`);
      fs.writeFileSync(file, "[control]\nexecutable = /bin/true\n");
      fs.utimesSync(file, LONG_AGO, LONG_AGO);
    }
  }

  const jobsIn = (dir: string) =>
    project()
      .list(dir)
      .filter((name) => /^\w+\.ini$/.test(name));
  const done = () => jobsIn(project().layout.end("jobdone")).length;

  it("a dispatcher allocates no more than the limit to read a job and to hand one out", async () => {
    const { layout } = project();
    // A file that is not a job is refused in its turn. When it is refused, all files with smaller names have been read.
    const refused = (file: string) =>
      project().until(`${file} is refused`, () => fs.existsSync(layout.ended("jobfailed", file)));
    const dispatcher = start("dispatcher", "--stay");
    fs.writeFileSync(layout.queued("first.ini"), "nonsense");
    await refused("first.ini");
    await read(dispatcher);
    dispatcher.kill("SIGSTOP");
    write((file) => layout.queued(file), QUEUED, "j");
    fs.writeFileSync(layout.queued("last.ini"), "nonsense");
    dispatcher.kill("SIGCONT");
    await refused("last.ini");
    const reading = (await read(dispatcher)) / QUEUED / KB;

    // A worker with a very short time per job. When its desk is full, the dispatcher has nothing to do.
    const worker = "meter-w-00000000";
    const announcement = (beat: number): Announcement => ({
      worker,
      host: "elsewhere",
      process: { pid: 2, start: "1", space: `${ownPidSpace()}-elsewhere` },
      state: "busy",
      beat,
      slots: 1,
      pace: PACE,
      spread: 0,
      group: "",
      directory: layout.root,
      since: new Date().toISOString(),
      log: "",
    });
    fs.mkdirSync(layout.desk(worker));
    await announce(project().site, announcement(1));
    const handedOut: number[] = [];
    for (let beat = 2; beat < 2 + WARM + COUNTED; beat++) {
      await project().until("the desk is full", () => jobsIn(layout.desk(worker)).length === FULL);
      handedOut.push((await read(dispatcher)) / FULL / KB);
      for (const file of jobsIn(layout.desk(worker))) {
        fs.renameSync(layout.onDesk(worker, file), layout.ended("jobdone", file));
      }
      await announce(project().site, announcement(beat));
    }
    const handing = Math.min(...handedOut.slice(WARM));
    console.log(`      ${reading.toFixed(1)} KB to read one, ${handing.toFixed(1)} KB to hand one out`);
    dispatcher.kill("SIGINT");
    await dispatcher.end;
    for (const file of jobsIn(layout.desk(worker))) fs.unlinkSync(layout.onDesk(worker, file));
    expect(reading).to.be.lessThan(LIMITS.read);
    expect(handing).to.be.lessThan(LIMITS.handOut);
  });

  it("a worker allocates no more than the limit to run a job", async () => {
    const { layout } = project();
    const running = start("worker");
    const worker = await project().until("the worker has a desk", () =>
      fs.readdirSync(layout.jobpod).find((entry) => deskKind(entry)?.kind === "desk"),
    );
    const perJob: number[] = [];
    for (let n = 0; n < WARM + COUNTED; n++) {
      // The worker must find a full desk, and not one job after the other.
      running.kill("SIGSTOP");
      const before = done();
      write((file) => layout.onDesk(worker, file), FULL, `j${n}x`);
      running.kill("SIGCONT");
      await project().until("all jobs have run", () => done() === before + FULL);
      perJob.push((await read(running)) / FULL / KB);
    }
    const run = Math.min(...perJob.slice(WARM));
    console.log(`      ${run.toFixed(1)} KB to run one`);
    running.kill("SIGINT");
    await running.end;
    expect(run).to.be.lessThan(LIMITS.run);
  });
});
