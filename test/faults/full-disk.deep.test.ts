import path from "node:path";
import { expect } from "chai";
import { SEED } from "../rig/dice.js";
import { SmallDisk } from "./small-disk.js";
import { QUICK, WitnessedProject } from "./witnessed-project.js";

describe("a full disk: work waits, and nothing is lost", function () {
  this.timeout(90_000);
  this.slow(20_000);
  let disk: SmallDisk | undefined;
  let project: WitnessedProject;

  before(() => console.log(`    seed ${SEED}`));

  /** Puts the project on a small file system of its own. */
  function onDisk(this: Mocha.Context, ...options: string[]): void {
    const mounted = SmallDisk.mount(...options);
    if (typeof mounted === "string") {
      console.log(`    skipped, no tmpfs can be mounted: ${mounted}`);
      this.skip();
    }
    disk = mounted;
    project = new WitnessedProject(QUICK, path.join(disk.path, "project"));
  }

  afterEach(async function () {
    if (disk === undefined) return;
    try {
      await project.dispose(this.currentTest?.isFailed() ?? false);
    } finally {
      disk.unmount();
      disk = undefined;
    }
  });

  /** Fills all free space. @returns a function that frees this space */
  const fill = () => (disk as SmallDisk).fill();
  /** Uses up all inodes. @returns a function that frees these inodes */
  const crowd = () => (disk as SmallDisk).crowd();

  function submitMany(count: number): void {
    for (let n = 0; n < count; n++) {
      const fails = n % 10 === 3;
      project.submit(
        { job: `job${n}`, ends: fails ? "jobfailed" : "jobdone", retries: 1 },
        project.line(0.02, fails ? 1 : 0),
      );
    }
  }

  const trouble = () => project.daemonLogs().includes("ENOSPC") || project.ledger.length === 0;

  for (const [what, exhaust, options] of [
    ["no space", fill, ["size=2m"]],
    ["no inode", crowd, ["size=64m", "nr_inodes=700"]],
  ] as const) {
    it(`jobs go on after there was ${what} for a while`, async function () {
      onDisk.call(this, ...options);
      const daemons = [project.dispatcher(), project.worker(), project.worker()];
      await project.onDuty(2);
      submitMany(80);
      await project.until("some jobs are done", () => project.files.done.length >= 8);
      for (let round = 0; round < 2; round++) {
        const free = exhaust();
        const before = project.unended().length;
        expect(before).to.be.above(0);
        let looks = 0;
        const isFelt = () => {
          looks = isStalled() || hasUnpublished() ? looks + 1 : 0;
          return looks > 20;
        };
        await project.until("a process finds the disk full", isFelt);
        await project.judgeNow({ wasFull: true });
        free();
        const some = () => project.unended().length < before || project.unended().length === 0;
        await project.until("the work goes on", some);
      }
      await project.untilEnded();
      expect(daemons.every((daemon) => daemon.isAlive)).to.equal(true);
      await project.closeDown({ wasFull: true });
    });

    it(`the jobs of a worker that is killed while there is ${what} are taken back later`, async function () {
      onDisk.call(this, ...options);
      const dispatcher = project.dispatcher();
      const worker = project.worker();
      await project.onDuty(1);
      project.submit({ job: "long", ends: "jobdone" }, project.lineUntil("go"));
      await project.untilRunning("long");
      const free = exhaust();
      worker.kill();
      // A ledger's last page may have some space left. Then the job is taken back at once.
      const isNoticed = () => dispatcher.output.includes("Trouble") || project.workers.length === 0;
      await project.until("the dispatcher has noticed", isNoticed);
      await project.judgeNow({ wasFull: true });
      free();
      project.raise("go");
      project.worker();
      await project.untilEnded();
      expect(dispatcher.isAlive).to.equal(true);
      await project.closeDown({ wasFull: true });
    });

    it(`a process that starts while there is ${what} says so, and nothing is lost`, async function () {
      onDisk.call(this, ...options);
      submitMany(4);
      const free = exhaust();
      const early = [project.dispatcher({ mayFail: true }), project.worker({ mayFail: true })];
      await project.until("each process says so or waits", () =>
        early.every((daemon) => !daemon.isAlive || trouble()),
      );
      for (const daemon of early)
        if (!daemon.isAlive) expect(daemon.output).to.match(/ENOSPC|no space|room/i);
      free();
      if (!early[0]?.isAlive) project.dispatcher();
      project.worker();
      await project.untilEnded();
      await project.closeDown({ wasFull: true });
    });
  }

  it("a worker whose job ends while there is no space is announced as stalled until there is space again", async function () {
    onDisk.call(this, "size=2m");
    project.dispatcher();
    project.worker();
    await project.onDuty(1);
    project.submit({ job: "long", ends: "jobdone" }, project.lineUntil("go"));
    await project.untilRunning("long");
    submitMany(20); // a ledger's last page may have space for some lines
    const free = fill();
    project.raise("go");
    await project.until("the worker is announced as stalled", isStalled);
    free();
    await project.untilEnded();
    await project.until("no worker is announced as stalled", () => !isStalled());
    await project.closeDown({ wasFull: true });
  });

  it("a worker that is fired while there is no space leaves when there is space again", async function () {
    onDisk.call(this, "size=2m");
    project.dispatcher();
    const worker = project.worker();
    await project.onDuty(1);
    project.submit({ job: "long", ends: "jobdone" }, project.lineUntil("go"));
    await project.untilRunning("long");
    const free = fill();
    worker.kill("SIGTERM");
    project.raise("go");
    await project.until("the worker has trouble or has ended", () => trouble() || !worker.isAlive);
    free();
    await project.until("the worker has ended", () => !worker.isAlive);
    expect(worker.exitCode).to.equal(0);
    project.worker();
    await project.untilEnded();
    await project.closeDown({ wasFull: true });
  });

  /** Whether a run has ended that is not in the ledger yet. */
  function hasUnpublished(): boolean {
    const known = new Set(
      project.ledger.filter((l) => l.event === "ended").map((l) => `${l.job} ${l.attempt}`),
    );
    return project.runsEnded().some((run) => !known.has(run));
  }

  function isStalled(): boolean {
    return project.workers.some((id) => project.read("workerqueue", `${id}.ini`).includes("state = stalled"));
  }
});
