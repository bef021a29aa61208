import fs from "node:fs";
import { expect } from "chai";
import pino from "pino";
import type { Outcome } from "../../src/job/outcome.js";
import { moveToDesk } from "../../src/spool/assign.js";
import type { Claimed } from "../../src/spool/finish.js";
import { identify } from "../../src/spool/identity.js";
import { LocalStore } from "../../src/spool/local-store.js";
import { type Lock, Locksmith, lockSeat } from "../../src/spool/lock.js";
import { reclaimWorker } from "../../src/spool/reclaim.js";
import { SeatWatch, takeSeat } from "../../src/spool/seat.js";
import type { FileFacts } from "../../src/spool/store.js";
import { publish } from "../../src/worker/publish.js";
import { isAlive } from "../checker/evidence.js";
import { Crew } from "./crew.js";
import { benches, Dice, QUICK, SEED, until } from "./harness.js";
import { Scene, started } from "./scene.js";

const nobody = () => undefined;
const HOUR = 3_600_000;
/** Whom `dispatcher.ini` names: who was killed between the lock and the file has left the name of the one before him. */
const HOLDERS = {
  "another host's": { pid: 1, start: "1", space: "elsewhere" },
  "of one who was killed before he wrote his name": identify(),
};

/** Somebody removes what he took for stale a moment late: when another has made it anew. */
class SlowRemover extends LocalStore {
  beforeRemoval: () => Promise<unknown> = async () => undefined;

  override async unlink(path: string): Promise<void> {
    if (path.endsWith(".ini.lock")) await this.beforeRemoval();
    this.beforeRemoval = async () => undefined;
    await super.unlink(path);
  }
}

/** The server does it, and its reply is lost: the client's second try finds it done, by somebody, it thinks. */
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

/** Its answers about a seat come when they are let come, and then it has trouble. */
class StalledStore extends LocalStore {
  readonly stalled: (() => void)[] = [];
  isStalling = false;

  override async facts(path: string): Promise<FileFacts> {
    if (!this.isStalling || !path.endsWith("dispatcher.lock")) return super.facts(path);
    await new Promise<void>((resolve) => this.stalled.push(resolve));
    throw Object.assign(new Error("EIO"), { code: "EIO" });
  }
}

describe("weaknesses of proper-lockfile: each is there, and does no harm", function () {
  this.timeout(60_000);
  this.slow(10_000);
  before(() => console.log(`    seed ${SEED}`));
  afterEach(() => Scene.closeLedgers());
  const bench = benches();

  it("a seat that is left while the store stalls: what it is told of it then ends nobody", async () => {
    const scene = new Scene(bench());
    const store = new StalledStore();
    const seat = await lockSeat(store, scene.layout.seat, "d", 0.4, nobody);
    store.isStalling = true;
    await until(
      "it is refreshed",
      () => store.stalled.length > 0,
      10,
      () => "",
    );
    expect(await seat?.release()).to.equal(true);
    const thrown: unknown[] = [];
    const catchIt = (error: unknown) => thrown.push(error); // in nobody's call
    process.on("unhandledRejection", catchIt);
    for (const answer of store.stalled) answer();
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.off("unhandledRejection", catchIt);
    expect(thrown).to.deep.equal([]);
  });

  /** A job that lies on the desk of one of two workers, both of this process. */
  async function twoWorkers(job: string) {
    const scene = new Scene(bench());
    for (const worker of ["w1", "w2"]) await scene.worker(worker, identify());
    bench().submit({ job, ends: "jobdone" }, bench().line(0));
    fs.renameSync(scene.layout.queued(`${job}.ini`), scene.layout.onDesk("w1", `${job}.ini`));
    return scene;
  }

  /** What worker W does when it has run an attempt of a job: its word to the witness, and S6. */
  async function end(
    scene: Scene,
    worker: string,
    job: string,
    attempt: number,
    claimed: Claimed,
  ): Promise<void> {
    const ledger = await scene.ledger(worker);
    fs.appendFileSync(
      bench().witness,
      `start ${job} ${attempt} 1 ${attempt}\nend ${job} ${attempt} 1 ${attempt}.5\n`,
    );
    const log = pino({ level: "silent" });
    const by = {
      store: scene.store,
      layout: scene.layout,
      ledger,
      log,
      mayBeFenced: () => false,
      stall: () => undefined,
    };
    const outcome: Outcome = { kind: "succeeded" };
    const times = { start: new Date(), end: new Date(), seconds: 1, cpu: null, memory: null };
    await publish(by, { retries: 0 } as never, claimed, { job, attempt, outcome, ...times });
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
      it(`one runs the job, the other moves it and it runs again: only one outcome, ${first}'s first`, async () => {
        const scene = await twoWorkers("a");
        const path = scene.layout.onDesk("w1", "a.ini");
        fs.writeFileSync(`${path}.lock`, "long dead\n");
        age(`${path}.lock`, HOUR);
        const w1 = await Locksmith.open(scene.store, scene.layout, "w1");
        const slow = new SlowRemover();
        // A dispatcher's would take none for stale.
        const mover = await Locksmith.open(slow, scene.layout, "w2");
        // Both have found it stale. The worker was the quicker one.
        let held: Lock | undefined;
        slow.beforeRemoval = async () => {
          held = await w1.lock(path, nobody);
        };
        const run = await claim(scene, "w1", "a", 1);
        const isMoved = await moveToDesk(slow, scene.layout, mover, "a.ini", "w1", "w2");
        expect(held, "the worker holds it").not.to.equal(undefined);
        expect(isMoved, "the other holds it, too, and moves what runs").to.equal(true);
        const again = await claim(scene, "w2", "a", 2);
        const runs = [["w1", 1, run] as const, ["w2", 2, again] as const];
        for (const [worker, attempt, claimed] of first === "w1" ? runs : runs.reverse())
          await end(scene, worker, "a", attempt, claimed);
        await held?.release();
        const events = bench()
          .ledger()
          .filter(({ event }) => event === "ended" || event === "discarded");
        expect(events.map(({ event, worker }) => `${worker} ${event}`)).to.have.members([
          "w1 discarded",
          "w2 ended",
        ]);
        expect(bench().list("jobdone")).to.deep.equal(["a.ini"]);
        bench().judge();
        await w1.close();
        await mover.close();
      });
    }

    it("no dispatcher is one of them: it takes no lock for stale", async () => {
      const scene = await twoWorkers("a");
      const path = scene.layout.onDesk("w1", "a.ini");
      fs.writeFileSync(`${path}.lock`, "w1\n");
      age(`${path}.lock`, HOUR);
      const dispatcher = await Locksmith.open(scene.store, scene.layout, "here-d-00000001");
      expect(await moveToDesk(scene.store, scene.layout, dispatcher, "a.ini", "w1", "w2")).to.equal(false);
      await dispatcher.close();
    });

    it("real workers: the first one finds its job elsewhere, kills it and goes on; the second publishes", async () => {
      bench().worker();
      bench().worker();
      await bench().onDuty(2);
      const layout = new Scene(bench()).layout;
      const [w1 = "", w2 = ""] = bench().workers();
      bench().submit({ job: "a", ends: "jobdone" }, bench().lineUntil("go"));
      fs.renameSync(layout.queued("a.ini"), layout.onDesk(w1, "a.ini"));
      const run = await bench().untilRunning("a");
      fs.rmSync(`${layout.onDesk(w1, "a.ini")}.lock`);
      fs.renameSync(layout.onDesk(w1, "a.ini"), layout.onDesk(w2, "a.ini"));
      await until(
        "the first run is killed",
        () => !isAlive(run),
        10,
        () => bench().describe(),
      );
      await bench().untilRunning("a");
      bench().raise("go");
      await bench().untilEnded();
      expect(
        bench()
          .ledger()
          .filter(({ event }) => event === "ended")
          .map(({ worker }) => worker),
      ).to.deep.equal([w2]);
      await bench().closeDown();
    });
  });

  describe("release does not ask whose lock it is", () => {
    it("a job's: the lock of who has robbed it goes, and there is one outcome all the same", async () => {
      const scene = await twoWorkers("a");
      const path = scene.layout.onDesk("w1", "a.ini");
      const [robbed, robber, third] = await Promise.all(
        ["w1", "w2", "here-d-00000001"].map((actor) => Locksmith.open(scene.store, scene.layout, actor)),
      );
      const lock = await robbed?.lock(path, nobody);
      fs.rmSync(`${path}.lock`);
      const stolen = await robber?.lock(path, nobody);
      expect(stolen).not.to.equal(undefined);
      const run = await claim(scene, "w1", "a", 1);
      await lock?.release();
      expect(fs.existsSync(`${path}.lock`), "the robber's lock").to.equal(false);
      // Nobody's any more: a third takes it, and moves the job.
      expect(await moveToDesk(scene.store, scene.layout, third as Locksmith, "a.ini", "w1", "w2")).to.equal(
        true,
      );
      await end(scene, "w1", "a", 1, run);
      expect(bench().list("jobdone")).to.deep.equal([]);
      await end(scene, "w2", "a", 2, await claim(scene, "w2", "a", 2));
      expect(bench().list("jobdone")).to.deep.equal(["a.ini"]);
      bench().judge();
      await stolen?.release();
      for (const one of [robbed, robber, third]) await one?.close();
    });

    it("the seat's: who was robbed leaves the other's lock where it is", async () => {
      const { layout, store } = new Scene(bench());
      const first = await takeSeat(store, layout, "here-d-00000001", 1, nobody);
      fs.rmdirSync(layout.seat);
      const second = bench().dispatcher();
      await until("the second has it", () => second.output.includes("Started on"));
      expect(await first?.isMine()).to.equal(false);
      await first?.leave();
      expect(fs.existsSync(layout.seat)).to.equal(true);
      bench().submit({ job: "a", ends: "jobdone" }, bench().line(0));
      bench().worker();
      await bench().untilEnded();
      expect(second.output).not.to.include("standing by");
      await bench().closeDown();
    });
  });

  describe("wall clocks", () => {
    it("a lock from the future, which never gets stale, is cleared away with the desk of its worker", async () => {
      const scene = new Scene(bench());
      await scene.worker("w1");
      bench().submit({ job: "a", ends: "jobdone" }, bench().line(0));
      const path = scene.claim("w1", "a");
      age(`${path}.lock`, -24 * HOUR);
      await reclaimWorker(await scene.reclaimer(), "w1", undefined, "test");
      bench().dispatcher();
      bench().worker();
      await bench().untilEnded(20);
      await bench().closeDown();
    });

    it("a seat from the future does not keep out who comes after a dispatcher that was killed", async () => {
      const killed = bench().dispatcher();
      await until("it dispatches", () => bench().has("dispatcher.ini"));
      killed.kill();
      await killed.ended;
      age(bench().path("dispatcher.lock"), -24 * HOUR);
      bench().submit({ job: "a", ends: "jobdone" }, bench().line(0));
      bench().dispatcher();
      bench().worker();
      await bench().untilEnded(20);
      await bench().closeDown();
    });

    for (const [whose, process] of Object.entries(HOLDERS)) {
      it(`a seat from the future does not keep out others, once its lock has stood still long enough: ${whose}`, async () => {
        const { layout, store } = new Scene(bench());
        fs.mkdirSync(layout.seat);
        age(layout.seat, -24 * HOUR);
        const { pid, start, space } = process;
        const holder = `[dispatcher]\nid = x\nhost = y\npid = ${pid}\nstart = ${start}\nspace = ${space}\n`;
        fs.writeFileSync(layout.dispatcherFile, holder);
        const beat = 0.05;
        const watch = new SeatWatch();
        const take = () => takeSeat(store, layout, "here-d-00000001", beat, nobody, watch);
        expect(await take()).to.equal(undefined);
        age(layout.seat, -24 * HOUR + 1000); // it was alive still
        let seat = await take();
        const begin = performance.now();
        await until("the seat is given up", async () => {
          seat = await take();
          return seat !== undefined;
        });
        expect(performance.now() - begin).to.be.above(3900);
        expect(await seat?.isMine()).to.equal(true);
        await seat?.leave();
        bench().judge({ over: true });
      });
    }

    it("one that is hours ahead takes the seat from a live dispatcher: nothing is lost, and one of them stands by", async () => {
      const first = bench().dispatcher();
      bench().worker();
      await until("it dispatches", () => first.output.includes("Started on"));
      const ahead = new Crew(bench(), new Dice(SEED), { workers: 0, dispatchers: 1 }, { ahead: 2 * HOUR });
      for (let n = 0; n < 60; n++) bench().submit({ job: `job${n}`, ends: "jobdone" }, bench().line(0.02));
      const times = () =>
        bench()
          .ledger()
          .filter(({ event }) => event === "dispatching").length;
      await until(
        "both have had the seat",
        () => times() >= 2,
        20,
        () => bench().describe(),
      );
      await until("the first one stands by", () => first.output.includes("standing by"));
      await bench().untilEnded();
      expect(first.isAlive()).to.equal(true);
      ahead.fill();
      await bench().closeDown();
    });
  });

  describe("a reply that the network loses", () => {
    it("makes one's own lock look like another's: it is known by the key that it is a link to", async () => {
      const { layout } = await twoWorkers("a");
      const store = new LostReply();
      const locksmith = await Locksmith.open(store, layout, "w1");
      const path = layout.onDesk("w1", "a.ini");
      const lock = await locksmith.lock(path, nobody);
      expect(lock).not.to.equal(undefined);
      expect(await locksmith.lock(path, nobody), "it is held").to.equal(undefined);
      await lock?.release();
      expect(fs.existsSync(`${path}.lock`)).to.equal(false);
      bench().judge();
      await locksmith.close();
    });

    it("makes the seat look taken: it is when its lock is stale", async () => {
      const { layout } = new Scene(bench());
      const store = new LostReply();
      expect(await takeSeat(store, layout, "here-d-00000001", 1, nobody)).to.equal(undefined);
      store.isLost = false;
      age(layout.seat, HOUR);
      const seat = await takeSeat(store, layout, "here-d-00000001", 1, nobody);
      expect(await seat?.isMine()).to.equal(true);
      await seat?.leave();
      bench().judge({ over: true });
    });
  });

  it("a lock that is removed while it is held kills no process: the job ends as if nothing had been", async () => {
    bench().dispatcher();
    const worker = bench().worker();
    bench().submit({ job: "a", ends: "jobdone" }, bench().lineUntil("go"));
    await bench().untilRunning("a");
    const [id = ""] = bench().workers();
    fs.rmSync(bench().path("jobpod", id, "a.ini.lock"));
    bench().raise("go");
    await bench().untilEnded();
    expect(worker.isAlive()).to.equal(true);
    await bench().closeDown();
  });

  describe("an event loop that stands still", () => {
    const slow = benches({ ...QUICK, poll: "0.05 s" });

    it("loses a dispatcher its seat and a worker its desk: both find that out, and nothing is double", async () => {
      const crew = new Crew(slow(), new Dice(SEED), { workers: 1, dispatchers: 1 });
      await crew.settled();
      const standby = slow().dispatcher();
      await until("it stands by", () => standby.output.includes("standing by"));
      for (let n = 0; n < 30; n++) slow().submit({ job: `job${n}`, ends: "jobdone" }, slow().line(0.1));
      for (const who of ["dispatchers", "workers"] as const) await crew.stall(who, 3000);
      await until("the standby has had the seat", () => standby.output.includes("Started on"));
      slow().worker();
      await slow().untilEnded();
      await slow().closeDown();
    });
  });
});
