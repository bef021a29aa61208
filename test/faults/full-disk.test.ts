import path from "node:path";
import { expect } from "chai";
import { Bench, QUICK, SEED, until } from "./harness.js";
import { SmallDisk } from "./small-disk.js";

describe("a full disk: work waits, and nothing is lost", function () {
  this.timeout(90_000);
  this.slow(20_000);
  let disk: SmallDisk | undefined;
  let bench: Bench;

  before(() => console.log(`    seed ${SEED}`));

  /** A small file system of its own for the project. */
  function onDisk(this: Mocha.Context, ...options: string[]): void {
    const mounted = SmallDisk.mount(...options);
    if (typeof mounted === "string") {
      console.log(`    skipped, no tmpfs can be mounted: ${mounted}`);
      this.skip();
    }
    disk = mounted;
    bench = new Bench(QUICK, path.join(disk.path, "project"));
  }

  afterEach(async function () {
    if (disk === undefined) return;
    try {
      await bench.dispose(this.currentTest?.isFailed() ?? false);
    } finally {
      disk.unmount();
      disk = undefined;
    }
  });

  /** Takes all room that is left; gives it back when called. */
  const fill = () => (disk as SmallDisk).fill();
  /** Takes all inodes. */
  const crowd = () => (disk as SmallDisk).crowd();

  function submitMany(count: number): void {
    for (let n = 0; n < count; n++) {
      const fails = n % 10 === 3;
      bench.submit(
        { job: `job${n}`, ends: fails ? "jobfailed" : "jobdone", retries: 1 },
        bench.line(0.02, fails ? 1 : 0),
      );
    }
  }

  const trouble = () => bench.daemonLogs().includes("ENOSPC") || bench.ledger().length === 0;

  for (const [what, exhaust, options] of [
    ["no room", fill, ["size=2m"]],
    ["no inode", crowd, ["size=64m", "nr_inodes=700"]],
  ] as const) {
    it(`while jobs run there is ${what}, and then there is again`, async function () {
      onDisk.call(this, ...options);
      const daemons = [bench.dispatcher(), bench.worker(), bench.worker()];
      await bench.onDuty(2);
      submitMany(80);
      await until(
        "some are done",
        () => bench.list("jobdone").length >= 8,
        30,
        () => bench.describe(),
      );
      for (let round = 0; round < 2; round++) {
        const free = exhaust();
        const before = bench.unended().length;
        expect(before).to.be.above(0);
        let looks = 0;
        const isFelt = () => {
          looks = isStalled() || hasUnpublished() ? looks + 1 : 0;
          return looks > 20;
        };
        await until("somebody finds it full", isFelt, 20, () => bench.describe());
        await bench.judgeNow({ wasFull: true });
        free();
        const some = () => bench.unended().length < before || bench.unended().length === 0;
        await until("the work goes on", some, 30, () => bench.describe());
      }
      await bench.untilEnded();
      expect(daemons.every((daemon) => daemon.isAlive())).to.equal(true);
      await bench.closeDown({ wasFull: true });
    });

    it(`a worker is killed while there is ${what}: its jobs are taken back when there is again`, async function () {
      onDisk.call(this, ...options);
      const dispatcher = bench.dispatcher();
      const worker = bench.worker();
      await bench.onDuty(1);
      bench.submit({ job: "long", ends: "jobdone" }, bench.lineUntil("go"));
      await bench.untilRunning("long");
      const free = exhaust();
      worker.kill();
      // A ledger's last page may have room left: then it is taken back at once.
      const isNoticed = () => dispatcher.output.includes("Trouble") || bench.workers().length === 0;
      await until("the dispatcher has noticed", isNoticed, 20, () => bench.describe());
      await bench.judgeNow({ wasFull: true });
      free();
      bench.raise("go");
      bench.worker();
      await bench.untilEnded();
      expect(dispatcher.isAlive()).to.equal(true);
      await bench.closeDown({ wasFull: true });
    });

    it(`before the start there is ${what}: whoever starts says so, and nothing is lost`, async function () {
      onDisk.call(this, ...options);
      submitMany(4);
      const free = exhaust();
      const early = [bench.dispatcher({ mayFail: true }), bench.worker({ mayFail: true })];
      await until(
        "each says so or waits",
        () => early.every((daemon) => !daemon.isAlive() || trouble()),
        20,
        () => bench.describe(),
      );
      for (const daemon of early)
        if (!daemon.isAlive()) expect(daemon.output).to.match(/ENOSPC|no space|room/i);
      free();
      if (!early[0]?.isAlive()) bench.dispatcher();
      bench.worker();
      await bench.untilEnded();
      await bench.closeDown({ wasFull: true });
    });
  }

  it("jobs end while there is no room: their worker is announced as stalled, until there is again", async function () {
    onDisk.call(this, "size=2m");
    bench.dispatcher();
    bench.worker();
    await bench.onDuty(1);
    bench.submit({ job: "long", ends: "jobdone" }, bench.lineUntil("go"));
    await bench.untilRunning("long");
    submitMany(20); // a ledger's last page may have room for some lines
    const free = fill();
    bench.raise("go");
    await until("it is told of", isStalled, 20, () => bench.describe());
    free();
    await bench.untilEnded();
    await until(
      "it is no more",
      () => !isStalled(),
      20,
      () => bench.describe(),
    );
    await bench.closeDown({ wasFull: true });
  });

  it("a worker is fired while there is no room: it goes when there is again", async function () {
    onDisk.call(this, "size=2m");
    bench.dispatcher();
    const worker = bench.worker();
    await bench.onDuty(1);
    bench.submit({ job: "long", ends: "jobdone" }, bench.lineUntil("go"));
    await bench.untilRunning("long");
    const free = fill();
    worker.kill("SIGTERM");
    bench.raise("go");
    await until(
      "it has trouble or has gone",
      () => trouble() || !worker.isAlive(),
      20,
      () => bench.describe(),
    );
    free();
    await until(
      "it has gone",
      () => !worker.isAlive(),
      20,
      () => bench.describe(),
    );
    expect(worker.exitCode).to.equal(0);
    bench.worker();
    await bench.untilEnded();
    await bench.closeDown({ wasFull: true });
  });

  /** Whether a run has ended that the ledger knows nothing of. */
  function hasUnpublished(): boolean {
    const known = new Set(
      bench
        .ledger()
        .filter((l) => l.event === "ended")
        .map((l) => `${l.job} ${l.attempt}`),
    );
    return bench.ends().some((run) => !known.has(run));
  }

  function isStalled(): boolean {
    return bench.workers().some((id) => bench.read("workerqueue", `${id}.ini`).includes("state = stalled"));
  }
});
