import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { execa } from "execa";
import type { CommandEnd } from "../rig/command.js";
import { until } from "../rig/until.js";
import { projectPerTest, skip } from "../rig/with-project.js";

/** Number of jobs that end before the count begins, and number of jobs to count. */
const WARM = 200;
const COUNTED = 800;
/** Jobs in the queue at first. Some 1,000 and some 100,000 of them wait during the counts. */
const FEW = 2_000;
const MANY = 100_000;

/** Leave out the system calls of the coverage tool, which writes a file per process and keeps counters. */
const UNMEASURED = { NODE_V8_COVERAGE: undefined };

/**
 * Long intervals, so that timers fire rarely. On a busy machine each job takes longer, and timers and their listings
 * would add calls to its count.
 */
const SELDOM = "[fjord]\nbeat = 60 s\npoll = 60 s\n";

/**
 * Number of jobs between two readings of the number of reads, and number of reads per job when no job files are being
 * read.
 */
const SPAN = 50;
const MOST_READS = 4;

interface Cost {
  /**
   * System calls of dispatcher and worker together for each job that ended during the count. All files were read
   * before.
   */
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

/** Seconds that the dispatcher may take to read 100,000 files while other tests run. */
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

  /** Counts the system calls of both daemons at work. @param waiting jobs in the queue at first */
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
    // Each file is read once, when it comes. That cost belongs to the job and does not count here.
    await until(
      "all files have been read",
      () => reads() >= waiting,
      () => dispatcher.stdout,
      PATIENCE,
    );
    await project().until("the first jobs are done", () => done() >= WARM);
    // The dispatcher reads other things, too. Wait until it reads little per job, because then no job files are left.
    let seen = { done: done(), reads: reads() };
    const isAllRead = () => {
      const now = { done: done(), reads: reads() };
      const jobs = now.done - seen.done;
      if (jobs < SPAN) return false;
      const isFew = now.reads - seen.reads < MOST_READS * jobs;
      seen = now;
      return isFew;
    };
    await until("no job file is left to read", isAllRead, () => dispatcher.stdout, PATIENCE);
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

  it("needs at most half as many calls again with 100,000 jobs as with 1,000", async () => {
    const few = costs.get(FEW)?.callsPerJob ?? Number.NaN;
    const many = costs.get(MANY)?.callsPerJob ?? Number.NaN;
    if (many / few < 1.5) return;
    // Calls by timers count, too, and a busy machine makes more of them per job. So the test tries once more.
    const again = (await measure(MANY)).callsPerJob;
    console.log(`      once more: ${again.toFixed(1)} system calls per job`);
    expect(Math.min(many, again) / few).to.be.lessThan(1.5);
  });

  it("keeps the dispatcher under 150 MB and the worker under 80 MB with 100,000 jobs waiting", () => {
    expect(costs.get(MANY)?.dispatcher).to.be.lessThan(150e6);
    expect(costs.get(MANY)?.worker).to.be.lessThan(80e6);
  });
});
