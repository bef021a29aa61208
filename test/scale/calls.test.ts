import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { execa } from "execa";
import type { CommandEnd } from "../rig/command.js";
import { until } from "../rig/until.js";
import { projectPerTest, skip } from "../rig/with-project.js";

/** Jobs that are waited for before counting begins, and while it goes on. */
const WARM = 200;
const COUNTED = 800;
/** Jobs that wait at first: while some 1,000 and some 100,000 wait, calls are counted. */
const FEW = 2_000;
const MANY = 100_000;

/** What the coverage tool adds is not fjord's: it writes a file per process and keeps counters. */
const UNMEASURED = { NODE_V8_COVERAGE: undefined };

/** What is done by the clock is more for each job where others keep the machine busy: it is put off, listings among it. */
const SELDOM = "[fjord]\nbeat = 60 s\npoll = 60 s\n";

/** Jobs between two looks at how much has been read; and how much that is at most when no job files are. */
const SPAN = 50;
const MOST_READS = 4;

interface Cost {
  /** System calls of dispatcher and worker together, per job that ended meanwhile, its file having been read. */
  readonly callsPerJob: number;
  /** Peak resident memory, bytes. */
  readonly dispatcher: number;
  readonly worker: number;
}

/** Sums the `calls` column of `strace -c`. */
function countCalls(summary: string): number {
  const total = /^\s*100\.00\s+\S+\s+(?:\S+\s+)?(\d+)\s+(?:\d+\s+)?total$/m.exec(summary)?.[1];
  if (total === undefined) throw new Error(`no total in: ${summary}`);
  return Number(total);
}

/** Seconds that 100,000 files may take to be read, beside the tests that run at the same time. */
const PATIENCE = 150;

function peakMemory(pid: number): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1]) * 1024;
}

/** How often a process has read so far (proc(5), io: syscr). */
function readCalls(pid: number): number {
  return Number(/^syscr: (\d+)/m.exec(fs.readFileSync(`/proc/${pid}/io`, "utf8"))?.[1]);
}

describe("scale: what a job costs does not grow with the queue", function () {
  this.timeout(2 * PATIENCE * 1000);
  const project = projectPerTest(SELDOM);

  function fill(jobs: number): void {
    for (let n = 0; n < jobs; n++) {
      const file = project().layout.queued(`job${String(n).padStart(6, "0")}.ini`);
      fs.writeFileSync(file, "[control]\nexecutable = /bin/true\n");
    }
  }

  const done = () => fs.readdirSync(project().layout.end("jobdone")).length;

  /** Counts system calls of both daemons, amid their work, with so many jobs waiting. */
  async function measure(waiting: number): Promise<Cost> {
    fill(waiting);
    const { stdout } = await project().run("recruiter", ["hire", "1", "--json"], { env: UNMEASURED });
    const [hired] = JSON.parse(stdout) as { worker: { process: { pid: number } } }[];
    const worker = hired?.worker.process.pid ?? 0;
    const dispatcher = project().start("dispatcher", [], { env: UNMEASURED });
    let ended: CommandEnd | undefined;
    void dispatcher.end.then((end) => {
      ended = end;
    });
    const reads = () => {
      if (ended !== undefined) throw new Error(`the dispatcher has ended: ${JSON.stringify(ended)}`);
      return readCalls(dispatcher.pid);
    };
    // Each file is read once, when it comes: that is a job's own cost, and over before the counting begins.
    await until(
      "all files have been read",
      () => reads() >= waiting,
      () => dispatcher.stdout,
      PATIENCE,
    );
    await project().until("the first jobs are done", () => done() >= WARM);
    // It has read other things as well: what is left of the files is read when it reads little for each job that is done.
    let seen = { done: done(), reads: reads() };
    const isAllRead = () => {
      const now = { done: done(), reads: reads() };
      const jobs = now.done - seen.done;
      if (jobs < SPAN) return false;
      const isFew = now.reads - seen.reads < MOST_READS * jobs;
      seen = now;
      return isFew;
    };
    await until("nothing is left to be read", isAllRead, () => dispatcher.stdout, PATIENCE);
    const before = done();
    const out = (pid: number) => path.join(project().root, `calls.${pid}`);
    const tracers = [worker, dispatcher.pid].map((pid) =>
      execa("strace", ["-f", "-c", "-o", out(pid), "-p", String(pid)], { reject: false }),
    );
    await project().until("the counted jobs are done", () => done() >= before + COUNTED);
    for (const tracer of tracers) tracer.kill("SIGINT");
    await Promise.all(tracers);
    const jobs = done() - before;
    const calls = [worker, dispatcher.pid].map((pid) => countCalls(fs.readFileSync(out(pid), "utf8")));
    const cost = {
      callsPerJob: calls.reduce((sum, count) => sum + count) / jobs,
      dispatcher: peakMemory(dispatcher.pid),
      worker: peakMemory(worker),
    };
    dispatcher.kill("SIGINT");
    await dispatcher.end;
    return cost;
  }

  const costs = new Map<number, Cost>();

  before(async function () {
    const found = await execa("strace", ["-o", "/dev/null", "true"], { reject: false });
    if (os.platform() !== "linux" || found.failed) skip(this, "strace is not there, or not allowed");
  });

  for (const waiting of [FEW, MANY]) {
    it(`counts the calls with ${waiting} jobs waiting`, async () => {
      const cost = await measure(waiting);
      costs.set(waiting, cost);
      console.log(`      ${cost.callsPerJob.toFixed(1)} system calls per job`);
      expect(cost.callsPerJob).to.be.greaterThan(10);
    });
  }

  it("needs no more than half as many again with 100,000 as with 1,000", async () => {
    const few = costs.get(FEW)?.callsPerJob ?? Number.NaN;
    const many = costs.get(MANY)?.callsPerJob ?? Number.NaN;
    if (many / few < 1.5) return;
    // What is done by the clock counts, too, and is more a job where others keep the machine busy: once more.
    const again = (await measure(MANY)).callsPerJob;
    console.log(`      once more: ${again.toFixed(1)} system calls per job`);
    expect(Math.min(many, again) / few).to.be.lessThan(1.5);
  });

  it("keeps the dispatcher under 150 MB and the worker under 80 MB with 100,000 jobs waiting", () => {
    expect(costs.get(MANY)?.dispatcher).to.be.lessThan(150e6);
    expect(costs.get(MANY)?.worker).to.be.lessThan(80e6);
  });
});
