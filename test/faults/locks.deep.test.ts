import fs from "node:fs";
import { expect } from "chai";
import pino from "pino";
import type { Outcome } from "../../src/job/outcome.js";
import { moveToDesk } from "../../src/spool/assign.js";
import { acquireDispatcherLock, LockWatch, takeDispatcherLock } from "../../src/spool/dispatcher-lock.js";
import type { Claimed } from "../../src/spool/finish.js";
import { identify } from "../../src/spool/identity.js";
import type { Lock } from "../../src/spool/lock.js";
import { Locksmith } from "../../src/spool/locksmith.js";
import { reclaimWorker } from "../../src/spool/reclaim.js";
import { LocalStore } from "../../src/store/local-store.js";
import { stampOf } from "../../src/store/stamp.js";
import type { FileFacts } from "../../src/store/store.js";
import { publish } from "../../src/worker/publish.js";
import { Dice, SEED } from "../rig/dice.js";
import { isAlive } from "../rig/processes.js";
import { until } from "../rig/until.js";
import { Crew } from "./crew.js";
import { Scene, started } from "./scene.js";
import { QUICK, witnessedProjectPerTest } from "./witnessed-project.js";

const nobody = () => undefined;
const HOUR = 3_600_000;
/**
 * The process that `dispatcher.ini` names. A dispatcher that is killed before it writes the file leaves the name of
 * its predecessor there.
 */
const HOLDERS = {
  "another host's": { pid: 1, start: "1", space: "elsewhere" },
  "of a dispatcher that was killed before it wrote its name": identify(),
};

/** Removes a stale lock a moment late, when another process has made the lock again. */
class SlowRemover extends LocalStore {
  beforeRemoval: () => Promise<unknown> = async () => undefined;

  override async unlink(path: string): Promise<void> {
    if (path.endsWith(".ini.lock")) await this.beforeRemoval();
    this.beforeRemoval = async () => undefined;
    await super.unlink(path);
  }
}

/**
 * Loses the reply of a call that succeeds. The client's second try then finds the name taken, apparently by another
 * process.
 */
class LostReply extends LocalStore {
  isLost = true;

  override async link(existing: string, path: string): Promise<void> {
    await super.link(existing, path);
    if (this.isLost) await super.link(existing, path);
  }

  override async mkdir(path: string, recursive = false): Promise<void> {
    await super.mkdir(path, recursive);
    if (this.isLost && !recursive) await super.mkdir(path);
  }
}

/** Answers questions about the dispatcher lock only when the test allows this, and then with an error. */
class StalledStore extends LocalStore {
  readonly stalled: (() => void)[] = [];
  isStalling = false;

  override async facts(path: string): Promise<FileFacts> {
    if (!this.isStalling || !path.endsWith("dispatcher.lock")) return super.facts(path);
    await new Promise<void>((resolve) => this.stalled.push(resolve));
    throw Object.assign(new Error("EIO"), { code: "EIO" });
  }
}

describe("weaknesses of proper-lockfile do no harm", function () {
  this.timeout(60_000);
  this.slow(10_000);
  before(() => console.log(`    seed ${SEED}`));
  afterEach(() => Scene.closeLedgers());
  const project = witnessedProjectPerTest();

  it("a late error ends no process when a dispatcher lock is released while the store stalls", async () => {
    const scene = new Scene(project());
    const store = new StalledStore();
    const seat = await acquireDispatcherLock(store, scene.layout.dispatcherLock, "d", 0.4, nobody);
    store.isStalling = true;
    await until("the lock is refreshed", () => store.stalled.length > 0);
    expect(await seat?.release()).to.equal(true);
    const thrown: unknown[] = [];
    const catchIt = (error: unknown) => thrown.push(error); // the error belongs to no call
    process.on("unhandledRejection", catchIt);
    for (const answer of store.stalled) answer();
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.off("unhandledRejection", catchIt);
    expect(thrown).to.deep.equal([]);
  });

  /** Puts a job on the desk of one of two workers. This process counts as both workers. */
  async function twoWorkers(job: string) {
    const scene = new Scene(project());
    for (const worker of ["w1", "w2"]) await scene.worker(worker, identify());
    project().submit({ job, ends: "jobdone" }, project().line(0));
    fs.renameSync(scene.layout.queued(`${job}.ini`), scene.layout.onDesk("w1", `${job}.ini`));
    return scene;
  }

  /** Writes what a worker writes at the end of an attempt: the witness's lines, and S6. */
  async function end(
    scene: Scene,
    worker: string,
    job: string,
    attempt: number,
    claimed: Claimed,
  ): Promise<void> {
    const ledger = await scene.ledger(worker);
    fs.appendFileSync(
      project().witness,
      `start ${job} ${attempt} 1 ${attempt}\nend ${job} ${attempt} 1 ${attempt}.5\n`,
    );
    const log = pino({ level: "silent" });
    const by = {
      ...scene.site,
      ledger,
      log,
      mayBeFenced: () => false,
      stall: () => undefined,
    };
    const outcome: Outcome = { kind: "succeeded" };
    const times = { start: new Date(), end: new Date(), seconds: 1, cpu: null, memory: null };
    await publish(by, { retries: 0 } as never, claimed, {
      job,
      attempt,
      run: `${worker}.${attempt}`,
      stamp: stampOf({ ...claimed, ctimeMs: 0, bornMs: 0 }),
      outcome,
      ...times,
    });
  }

  async function claim(scene: Scene, worker: string, job: string, attempt: number): Promise<Claimed> {
    await scene.tell(worker, started(worker, job, attempt));
    const file = scene.layout.onDesk(worker, `${job}.ini`);
    const { ino, mtimeMs, mode } = fs.statSync(file);
    return { worker, file: `${job}.ini`, ino, mtimeMs, mode, bytes: fs.readFileSync(file) };
  }

  const age = (file: string, ms: number) => {
    const then = (Date.now() - ms) / 1000;
    fs.utimesSync(file, then, then);
  };

  describe("two holders after a stale lock was removed twice", () => {
    for (const first of ["w1", "w2"] as const) {
      it(`only one outcome counts when one runs the job and the other moves it to run again; ${first} ends first`, async () => {
        const scene = await twoWorkers("a");
        const path = scene.layout.onDesk("w1", "a.ini");
        fs.writeFileSync(`${path}.lock`, "long dead\n");
        age(`${path}.lock`, HOUR);
        const w1 = await Locksmith.open(scene.site, "w1");
        const slow = new SlowRemover();
        // A dispatcher's locksmith treats no lock as stale, so this locksmith belongs to a worker.
        const mover = await Locksmith.open({ ...scene.site, store: slow }, "w2");
        // Both find that the lock is stale. The worker is faster.
        let held: Lock | undefined;
        slow.beforeRemoval = async () => {
          held = await w1.lock(path, nobody);
        };
        const run = await claim(scene, "w1", "a", 1);
        const isMoved = await moveToDesk(
          { store: slow, layout: scene.layout, locksmith: mover },
          "a.ini",
          "w1",
          "w2",
        );
        expect(held, "the worker holds the lock").not.to.equal(undefined);
        expect(isMoved, "the other one holds the lock, too, and moves the running job").to.equal(true);
        const again = await claim(scene, "w2", "a", 2);
        const runs = [["w1", 1, run] as const, ["w2", 2, again] as const];
        for (const [worker, attempt, claimed] of first === "w1" ? runs : runs.reverse())
          await end(scene, worker, "a", attempt, claimed);
        await held?.release();
        const events = [...project().events("ended"), ...project().events("discarded")];
        expect(events.map(({ event, worker }) => `${worker} ${event}`)).to.have.members([
          "w1 discarded",
          "w2 ended",
        ]);
        expect(project().files.done).to.deep.equal(["a.ini"]);
        project().judge();
        await w1.close();
        await mover.close();
      });
    }

    it("no dispatcher is a holder, because a dispatcher treats no lock as stale", async () => {
      const scene = await twoWorkers("a");
      const path = scene.layout.onDesk("w1", "a.ini");
      fs.writeFileSync(`${path}.lock`, "w1\n");
      age(`${path}.lock`, HOUR);
      const dispatcher = await Locksmith.open(scene.site, "here-d-00000001");
      expect(
        await moveToDesk(
          { store: scene.store, layout: scene.layout, locksmith: dispatcher },
          "a.ini",
          "w1",
          "w2",
        ),
      ).to.equal(false);
      await dispatcher.close();
    });

    it("the first real worker finds its job on another desk and kills the run; the second one publishes", async () => {
      project().worker();
      project().worker();
      await project().onDuty(2);
      const layout = new Scene(project()).layout;
      const [w1 = "", w2 = ""] = project().workers;
      project().submit({ job: "a", ends: "jobdone" }, project().lineUntil("go"));
      fs.renameSync(layout.queued("a.ini"), layout.onDesk(w1, "a.ini"));
      const run = await project().untilRunning("a");
      fs.rmSync(`${layout.onDesk(w1, "a.ini")}.lock`);
      fs.renameSync(layout.onDesk(w1, "a.ini"), layout.onDesk(w2, "a.ini"));
      await project().until("the first run is killed", () => !isAlive(run));
      await project().untilRunning("a");
      project().raise("go");
      await project().untilEnded();
      const workers = project()
        .events("ended")
        .map(({ worker }) => worker);
      expect(workers).to.deep.equal([w2]);
      await project().closeDown();
    });
  });

  describe("a release does not check who holds the lock", () => {
    it("of a job's lock: the lock of the other holder is removed, and there is still one outcome", async () => {
      const scene = await twoWorkers("a");
      const path = scene.layout.onDesk("w1", "a.ini");
      const [robbed, robber, third] = await Promise.all(
        ["w1", "w2", "here-d-00000001"].map((actor) => Locksmith.open(scene.site, actor)),
      );
      const lock = await robbed?.lock(path, nobody);
      fs.rmSync(`${path}.lock`);
      const stolen = await robber?.lock(path, nobody);
      expect(stolen).not.to.equal(undefined);
      const run = await claim(scene, "w1", "a", 1);
      await lock?.release();
      expect(fs.existsSync(`${path}.lock`), "the robber's lock").to.equal(false);
      // The job has no lock any more. A third process takes the lock and moves the job.
      expect(
        await moveToDesk(
          { store: scene.store, layout: scene.layout, locksmith: third as Locksmith },
          "a.ini",
          "w1",
          "w2",
        ),
      ).to.equal(true);
      await end(scene, "w1", "a", 1, run);
      expect(project().files.done).to.deep.equal([]);
      await end(scene, "w2", "a", 2, await claim(scene, "w2", "a", 2));
      expect(project().files.done).to.deep.equal(["a.ini"]);
      project().judge();
      await stolen?.release();
      for (const one of [robbed, robber, third]) await one?.close();
    });

    it("of the dispatcher lock: a dispatcher that has lost its lock does not remove the lock of another dispatcher", async () => {
      const { layout, store } = new Scene(project());
      const first = await takeDispatcherLock({ ...project().site, store }, "here-d-00000001", 1, nobody);
      fs.rmdirSync(layout.dispatcherLock);
      const second = project().dispatcher();
      await until("the second dispatcher has the lock", () => second.output.includes("Started on"));
      expect(await first?.isMine()).to.equal(false);
      await first?.leave();
      expect(fs.existsSync(layout.dispatcherLock)).to.equal(true);
      project().submit({ job: "a", ends: "jobdone" }, project().line(0));
      project().worker();
      await project().untilEnded();
      expect(second.output).not.to.include("standing by");
      await project().closeDown();
    });
  });

  describe("wall clocks", () => {
    it("a lock from the future never becomes stale, and is removed with the desk of its worker", async () => {
      const scene = new Scene(project());
      await scene.worker("w1");
      project().submit({ job: "a", ends: "jobdone" }, project().line(0));
      const path = scene.claim("w1", "a");
      age(`${path}.lock`, -24 * HOUR);
      await reclaimWorker(await scene.reclaimer(), "w1", undefined, "test");
      project().dispatcher();
      project().worker();
      await project().untilEnded();
      await project().closeDown();
    });

    it("a dispatcher lock from the future does not keep out the successor of a killed dispatcher", async () => {
      const killed = project().dispatcher();
      await until("the first dispatcher dispatches", () => project().has("dispatcher.ini"));
      killed.kill();
      await killed.exit;
      age(project().path("dispatcher.lock"), -24 * HOUR);
      project().submit({ job: "a", ends: "jobdone" }, project().line(0));
      project().dispatcher();
      project().worker();
      await project().untilEnded();
      await project().closeDown();
    });

    for (const [whose, process] of Object.entries(HOLDERS)) {
      it(`a dispatcher lock from the future is taken over when it has not changed for long enough: ${whose}`, async () => {
        const { layout, store } = new Scene(project());
        fs.mkdirSync(layout.dispatcherLock);
        age(layout.dispatcherLock, -24 * HOUR);
        const { pid, start, space } = process;
        const holder = `[dispatcher]\nid = x\nhost = y\npid = ${pid}\nstart = ${start}\nspace = ${space}\n`;
        fs.writeFileSync(layout.dispatcherFile, holder);
        const beat = 0.05;
        const watch = new LockWatch();
        const take = () =>
          takeDispatcherLock({ ...project().site, store }, "here-d-00000001", beat, nobody, watch);
        expect(await take()).to.equal(undefined);
        age(layout.dispatcherLock, -24 * HOUR + 1000); // the holder is still alive and refreshes the lock
        let seat = await take();
        const begin = performance.now();
        await until("the lock is taken over", async () => {
          seat = await take();
          return seat !== undefined;
        });
        expect(performance.now() - begin).to.be.above(3900);
        expect(await seat?.isMine()).to.equal(true);
        await seat?.leave();
        project().judge({ over: true });
      });
    }

    it("a dispatcher whose clock is hours ahead takes the lock from a live dispatcher; no job is lost, and one of them stands by", async () => {
      const first = project().dispatcher();
      project().worker();
      await until("the first dispatcher dispatches", () => first.output.includes("Started on"));
      const ahead = new Crew(project(), new Dice(SEED), { workers: 0, dispatchers: 1 }, { ahead: 2 * HOUR });
      for (let n = 0; n < 60; n++)
        project().submit({ job: `job${n}`, ends: "jobdone" }, project().line(0.02));
      const times = () => project().ledger.filter(({ event }) => event === "dispatching").length;
      await project().until("both have dispatched", () => times() >= 2);
      await until("the first dispatcher stands by", () => first.output.includes("standing by"));
      await project().untilEnded();
      expect(first.isAlive).to.equal(true);
      ahead.fill();
      await project().closeDown();
    });
  });

  describe("a reply that the network loses", () => {
    it("makes a process's own lock look like that of another process, but the lock is a link to its key, which shows the owner", async () => {
      const { layout } = await twoWorkers("a");
      const store = new LostReply();
      const locksmith = await Locksmith.open({ ...project().site, store }, "w1");
      const path = layout.onDesk("w1", "a.ini");
      const lock = await locksmith.lock(path, nobody);
      expect(lock).not.to.equal(undefined);
      expect(await locksmith.lock(path, nobody), "the lock is held").to.equal(undefined);
      await lock?.release();
      expect(fs.existsSync(`${path}.lock`)).to.equal(false);
      project().judge();
      await locksmith.close();
    });

    it("makes the dispatcher lock look taken, until the lock is stale", async () => {
      const { layout } = new Scene(project());
      const store = new LostReply();
      expect(await takeDispatcherLock({ ...project().site, store }, "here-d-00000001", 1, nobody)).to.equal(
        undefined,
      );
      store.isLost = false;
      age(layout.dispatcherLock, HOUR);
      const seat = await takeDispatcherLock({ ...project().site, store }, "here-d-00000001", 1, nobody);
      expect(await seat?.isMine()).to.equal(true);
      await seat?.leave();
      project().judge({ over: true });
    });
  });

  it("no process dies when a lock is removed while it is held, and the job ends as usual", async () => {
    project().dispatcher();
    const worker = project().worker();
    project().submit({ job: "a", ends: "jobdone" }, project().lineUntil("go"));
    await project().untilRunning("a");
    const [id = ""] = project().workers;
    fs.rmSync(project().path("jobpod", id, "a.ini.lock"));
    project().raise("go");
    await project().untilEnded();
    expect(worker.isAlive).to.equal(true);
    await project().closeDown();
  });

  describe("an event loop that blocks", () => {
    const slow = witnessedProjectPerTest({ ...QUICK, poll: "0.05 s" });

    it("makes a dispatcher lose its lock and a worker its desk; both notice, and no job has two outcomes", async () => {
      const crew = new Crew(slow(), new Dice(SEED), { workers: 1, dispatchers: 1 });
      await crew.settled();
      const standby = slow().dispatcher();
      await until("the standby stands by", () => standby.output.includes("standing by"));
      for (let n = 0; n < 30; n++) slow().submit({ job: `job${n}`, ends: "jobdone" }, slow().line(0.1));
      for (const who of ["dispatchers", "workers"] as const) await crew.stall(who, 3000);
      await until("the standby has dispatched", () => standby.output.includes("Started on"));
      slow().worker();
      await slow().untilEnded();
      await slow().closeDown();
    });
  });
});
