import fs from "node:fs";
import { expect } from "chai";
import pino from "pino";
import { fire } from "../../src/recruiter/fire.js";
import { assureFile, type Claimed, finish } from "../../src/spool/finish.js";
import { History } from "../../src/spool/history.js";
import { identify } from "../../src/spool/identity.js";
import type { Ledger, LedgerEvent } from "../../src/spool/ledger.js";
import { reclaimWorker } from "../../src/spool/reclaim.js";
import { publish } from "../../src/worker/publish.js";
import { benches, kill, QUICK, SEED, until } from "./harness.js";
import { ended, Scene, started } from "./scene.js";

describe("races: what lies there after a kill at the worst moment", function () {
  this.timeout(60_000);
  this.slow(10_000);
  before(() => console.log(`    seed ${SEED}`));
  afterEach(() => Scene.closeLedgers());

  describe("taking back from a lost worker (S8)", () => {
    const bench = benches();

    it("publishes in its stead what it had ended, if only the rename was missing", async () => {
      const scene = new Scene(bench());
      await scene.worker("w");
      bench().submit({ job: "a", ends: "jobdone" }, bench().line(0));
      const stamp = scene.stamp(scene.claim("w", "a"));
      await scene.tell("w", started("w", "a", 1), ended("w", "a", 1, "jobdone", stamp));
      await reclaimWorker(await scene.reclaimer(), "w", undefined, "test");
      expect(bench().list("jobdone")).to.deep.equal(["a.ini"]);
    });

    it("goes by what is noted as lost, though its worker has told an outcome since", async () => {
      const scene = new Scene(bench());
      await scene.worker("w");
      bench().submit({ job: "a", ends: "jobdone" }, bench().line(0));
      const stamp = scene.stamp(scene.claim("w", "a"));
      const lost = {
        event: "lost",
        job: "a",
        attempt: 1,
        worker: "w",
        reason: "test",
        to: "jobqueue",
      } as const;
      await scene.tell("d", lost); // and was killed before the rename
      await scene.tell("w", started("w", "a", 1), ended("w", "a", 1, "jobdone", stamp));
      await reclaimWorker(await scene.reclaimer(), "w", undefined, "test");
      expect(bench().list("jobqueue")).to.deep.equal(["a.ini"]);
    });

    it("does not take an earlier outcome for that of a new job of the same name", async () => {
      const scene = new Scene(bench());
      await scene.worker("w");
      bench().submit({ job: "a" }, bench().line(0));
      const first = scene.claim("w", "a");
      await scene.tell("w", started("w", "a", 1), ended("w", "a", 1, "jobdone", scene.stamp(first)));
      fs.writeFileSync(scene.layout.attemptLog("a", 1), "");
      fs.renameSync(first, scene.layout.ended("jobdone", "a.ini"));
      fs.rmSync(`${first}.lock`);
      bench().submit({ job: "a", ends: "jobdone" }, bench().line(0.01));
      scene.claim("w", "a"); // killed before it wrote that it had started
      bench().dispatcher();
      bench().worker();
      await until(
        "the new job has run",
        () => fs.existsSync(bench().witness),
        20,
        () => bench().describe(),
      );
      await until(
        "and ended",
        () =>
          !bench()
            .desks()
            .some((desk) => bench().list("jobpod", desk).includes("a.ini")),
      );
      await bench().closeDown({ witness: undefined });
    });

    it("leaves the decision to the ledger when the worker wakes up amid its last rename", async () => {
      for (const to of ["jobdone", "retry"] as const) {
        const job = `b-${to}`;
        const scene = new Scene(bench());
        await scene.worker(job);
        bench().submit({ job }, bench().line(0));
        const path = scene.claim(job, job);
        const { ino, mtimeMs, mode } = fs.statSync(path);
        const claimed: Claimed = {
          worker: job,
          file: `${job}.ini`,
          ino,
          mtimeMs,
          mode,
          bytes: fs.readFileSync(path),
        };
        const ledger = await scene.ledger(job);
        await ledger.append(started(job, job, 1));
        const reclaimer = await scene.reclaimer();
        // Stopped when `ended` is written; declared lost, and the outcome published for it; woken up.
        const stopsThere = {
          append: async (event: LedgerEvent) => {
            await ledger.append(event);
            if (event.event === "ended") await reclaimWorker(reclaimer, job, undefined, "test");
          },
        } as Ledger;
        const outcome =
          to === "jobdone" ? ({ kind: "succeeded" } as const) : ({ kind: "failed", code: 1 } as const);
        const end = {
          job,
          attempt: 1,
          outcome,
          start: new Date(),
          end: new Date(),
          seconds: 1,
          cpu: null,
          memory: null,
        };
        const by = {
          store: scene.store,
          layout: scene.layout,
          ledger: stopsThere,
          log: pino({ level: "silent" }),
        };
        const retries = to === "retry" ? 1 : 0;
        await publish(
          { ...by, mayBeFenced: () => false, stall: () => undefined },
          { retries } as never,
          claimed,
          end,
        );
        expect(
          bench()
            .ledger()
            .filter((l) => l.job === job)
            .map((l) => l.event),
        ).to.deep.equal(["started", "ended"]);
        expect(await reclaimer.history.attemptsOf(job)).to.include({ failed: retries });
      }
      bench().judge({ witness: undefined });
    });

    it("by two at once moves every job once and hurts nobody", async () => {
      for (let round = 0; round < 20; round++) {
        const scene = new Scene(bench(), "network");
        const worker = `w${round}`;
        await scene.worker(worker);
        const jobs = ["a", "b", "c"].map((letter) => `${letter}${round}`);
        for (const job of jobs) bench().submit({ job }, bench().line(0));
        const [done = "", running = "", waiting = ""] = jobs;
        const stamp = scene.stamp(scene.claim(worker, done));
        scene.claim(worker, running);
        fs.rmSync(`${scene.claim(worker, waiting)}.lock`);
        await scene.tell(
          worker,
          started(worker, done, 1),
          ended(worker, done, 1, "jobdone", stamp),
          started(worker, running, 1),
        );
        const both = await Promise.all([scene.reclaimer(1), scene.reclaimer(1)]);
        await Promise.all(both.map((r) => reclaimWorker(r, worker, undefined, "test")));
        expect(bench().has("jobdone", `${done}.ini`)).to.equal(true);
        expect(bench().has("jobfailed", `${running}.ini`)).to.equal(true);
        expect(bench().has("jobqueue", `${waiting}.ini`)).to.equal(true);
        expect(bench().desks()).to.deep.equal(["retry"]);
      }
      bench().judge({ witness: undefined });
    });

    it("done again after a kill does not count the lost attempt twice", async () => {
      const scene = new Scene(bench());
      await scene.worker("w");
      bench().submit({ job: "a" }, bench().line(0));
      scene.claim("w", "a");
      await scene.tell("w", started("w", "a", 1));
      await scene.tell("d", { event: "lost", job: "a", attempt: 1, worker: "w", reason: "", to: "jobqueue" });
      const [job] = await reclaimWorker(await scene.reclaimer(2), "w", undefined, "test");
      expect(job?.to).to.equal("jobqueue");
    });

    it("done again after a kill gives up the job that it had given up", async () => {
      const scene = new Scene(bench());
      await scene.worker("w");
      bench().submit({ job: "a" }, bench().line(0));
      scene.claim("w", "a");
      await scene.tell("w", started("w", "a", 2));
      const lost = { event: "lost", job: "a", worker: "w", reason: "" } as const;
      await scene.tell(
        "d",
        { ...lost, attempt: 1, to: "jobqueue" },
        { ...lost, attempt: 2, to: "jobfailed" },
      );
      const [job] = await reclaimWorker(await scene.reclaimer(2), "w", undefined, "test");
      expect(job?.to).to.equal("jobfailed");
    });

    it("does not count an outcome that a lost worker wrote and nobody published", async () => {
      for (const order of [
        ["a-w", "z-d"],
        ["z-w", "a-d"],
      ]) {
        const [w = "", d = ""] = order;
        const scene = new Scene(bench());
        const job = `job-${w}`;
        await scene.tell(w, started(w, job, 3), ended(w, job, 3, "retry", ""));
        await scene.tell("e", started("e", job, 4), ended("e", job, 4, "jobdone", ""));
        await scene.tell(d, { event: "lost", job, attempt: 4, worker: "e", reason: "", to: "jobqueue" });
        expect(await new History(scene.store, scene.layout).attemptsOf(job)).to.include({
          failed: 1,
          lost: 1,
        });
      }
    });

    it("leaves no temporary file of a worker that was killed in its heartbeat, and not its key", async () => {
      const scene = new Scene(bench());
      await scene.worker("w");
      fs.writeFileSync(bench().path("workerqueue", ".w.tmp"), "[wor");
      fs.linkSync(scene.layout.announcement("w"), scene.layout.pulse("w"));
      fs.writeFileSync(scene.layout.key("w"), "w\n");
      await reclaimWorker(await scene.reclaimer(), "w", undefined, "test");
      bench().judge({ over: true });
    });

    it("leaves no second name of an announcement that somebody removed by hand", async () => {
      const scene = new Scene(bench());
      await scene.worker("w");
      fs.linkSync(scene.layout.announcement("w"), scene.layout.pulse("w"));
      fs.rmSync(scene.layout.announcement("w"));
      const dispatcher = bench().dispatcher();
      await until(
        "its desk is cleared",
        () => !bench().has("jobpod", "w"),
        20,
        () => dispatcher.output,
      );
      await bench().closeDown();
    });

    it("clears away the second name of an announcement that nobody has, and leaves those of the living", async () => {
      const { layout } = new Scene(bench());
      const orphan = layout.pulse("nobody");
      bench().worker();
      await bench().onDuty(1);
      const [id = ""] = bench().workers();
      const inode = (file: string) => fs.statSync(file, { throwIfNoEntry: false })?.ino;
      await until("it has its second name", () => inode(layout.pulse(id)) !== undefined);
      const before = inode(layout.announcement(id));
      const dispatcher = bench().dispatcher();
      for (let rollCall = 0; rollCall < 3; rollCall++) {
        fs.writeFileSync(orphan, "");
        await until(
          "it is gone",
          () => !fs.existsSync(orphan),
          20,
          () => dispatcher.output,
        );
      }
      expect(inode(layout.pulse(id))).to.equal(before);
      expect(inode(layout.announcement(id))).to.equal(before);
      await bench().closeDown();
    });

    it("clears away the announcement of a worker that was killed at its first word", async () => {
      fs.writeFileSync(bench().path("workerqueue", "unborn.ini"), "");
      const dispatcher = bench().dispatcher();
      const isClear = () => bench().list("workerqueue").length === 0;
      await until("it is gone", isClear, 20, () => dispatcher.output);
      await bench().closeDown();
    });

    it("is finished by the next dispatcher before it says that all jobs have ended", async () => {
      const scene = new Scene(bench());
      // Alive, and announced: only its desk was fenced when the dispatcher before was killed.
      await scene.worker("zombie", identify());
      bench().submit({ job: "fenced", ends: "jobdone" }, bench().line(0));
      scene.claim("zombie", "fenced");
      fs.renameSync(scene.layout.desk("zombie"), scene.layout.fencedDesk("zombie"));
      bench().submit({ job: "other", ends: "jobdone" }, bench().line(0));
      bench().worker();
      expect((await bench().run("dispatcher")).exitCode).to.equal(0);
      expect(bench().unended()).to.deep.equal([]);
      await bench().closeDown();
    });
  });

  describe("finishing (S6)", () => {
    const bench = benches();

    it("finds the file that the job deleted written again before the ledger says that it ended", async () => {
      const scene = new Scene(bench());
      await scene.worker("w");
      bench().submit({ job: "a" }, bench().line(0));
      const path = scene.claim("w", "a");
      const { ino, mtimeMs, mode } = fs.statSync(path);
      const claimed: Claimed = {
        worker: "w",
        file: "a.ini",
        ino,
        mtimeMs,
        mode,
        bytes: fs.readFileSync(path),
      };
      fs.rmSync(path);
      const stamp = (await assureFile(scene.store, scene.layout, claimed)) as string;
      expect(scene.stamp(path)).to.equal(stamp);
      expect(await finish(scene.store, scene.layout, claimed, "jobdone", stamp)).to.equal("published");
      expect(bench().list("jobdone")).to.deep.equal(["a.ini"]);
    });

    it("tells a job that was taken back from a desk that was fenced", async () => {
      const scene = new Scene(bench());
      await scene.worker("w");
      bench().submit({ job: "a" }, bench().line(0));
      const path = scene.claim("w", "a");
      const { ino, mtimeMs, mode } = fs.statSync(path);
      const claimed: Claimed = {
        worker: "w",
        file: "a.ini",
        ino,
        mtimeMs,
        mode,
        bytes: fs.readFileSync(path),
      };
      fs.renameSync(path, scene.layout.queued("a.ini"));
      expect(await assureFile(scene.store, scene.layout, claimed)).to.equal(undefined);
      expect(await finish(scene.store, scene.layout, claimed, "jobdone", "")).to.equal("taken");
      fs.renameSync(scene.layout.desk("w"), scene.layout.fencedDesk("w"));
      expect(await finish(scene.store, scene.layout, claimed, "jobdone", "")).to.equal("fenced");
    });
  });

  describe("deciding on a retry (S9)", () => {
    const bench = benches();

    it("gives up what it had given up when it was killed before the rename", async () => {
      const scene = new Scene(bench());
      bench().submit({ job: "a", ends: "jobfailed", retries: 1 }, bench().line(0, 1));
      const desk = scene.layout.toRetry("a.ini");
      fs.renameSync(scene.layout.queued("a.ini"), desk);
      const stamp = scene.stamp(desk);
      for (const attempt of [1, 2]) {
        fs.writeFileSync(scene.layout.attemptLog("a", attempt), "");
        await scene.tell("w", started("w", "a", attempt), ended("w", "a", attempt, "retry", stamp));
      }
      await scene.tell("d", { event: "retry", job: "a", attempt: 2, to: "jobfailed", reason: "", stamp });
      bench().dispatcher();
      bench().worker();
      await bench().untilEnded(20);
      expect(fs.existsSync(bench().witness), "it was run again").to.equal(false);
      await bench().closeDown();
    });
  });

  describe("a job whose name is dropped again", () => {
    const bench = benches({ ...QUICK, retry_backoff: "0.1 s" });
    const isClear = () => bench().list("jobqueue").length + bench().list("jobpod", "retry").length === 0;

    it("while the first runs and its worker is fired: both run", async () => {
      bench().dispatcher();
      bench().worker();
      bench().submit({ job: "twin", ends: "jobdone" }, bench().lineUntil("go"));
      await bench().untilRunning("twin");
      bench().submit({ job: "twin", ends: "jobdone" }, bench().line(0));
      await bench().run("recruiter", "fire", "--now", "--wait");
      bench().raise("go");
      bench().worker();
      await until("both have left the queue", isClear, 20, () => bench().describe());
      await bench().untilEnded();
      await until(
        "both have ended",
        () =>
          bench()
            .ledger()
            .filter((l) => l.to === "jobdone").length === 2,
      );
      await bench().closeDown();
    });

    it("while the first waits to be tried again: both run", async () => {
      bench().dispatcher();
      bench().worker();
      bench().submit({ job: "twin", retries: 1 }, `${bench().lineUntil("go")}; false`);
      await bench().untilRunning("twin");
      bench().submit({ job: "twin", ends: "jobfailed", retries: 1 }, bench().line(0, 1));
      bench().raise("go");
      await until(
        "both have left the queue",
        () => isClear() && bench().unended().length === 0,
        20,
        () => bench().describe(),
      );
      await until(
        "both have ended",
        () =>
          bench()
            .ledger()
            .filter((l) => l.to === "jobfailed").length === 2,
        20,
        () => bench().describe(),
      );
      await bench().closeDown();
    });
  });

  describe("firing", () => {
    const bench = benches({ ...QUICK, beat: "0.02 s", store: "network", settle: "0.1 s" });

    it("does not take for gone whose announcement is being written over", async () => {
      const scene = new Scene(bench(), "local");
      await scene.worker("w", identify());
      const file = scene.layout.announcement("w");
      const whole = fs.readFileSync(file, "utf8");
      fs.writeFileSync(file, whole.replace("beat = 1", "beat = 2"));
      const request = { workers: ["w"], now: false, patience: 0, untilGone: false };
      expect(await fire(await scene.reclaimer(), request)).to.deep.equal([
        { worker: "w", host: "", end: "silent" },
      ]);
      fs.rmSync(file);
      fs.writeFileSync(file, whole);
      expect(await fire(await scene.reclaimer(), request)).to.deep.equal([
        { worker: "w", host: "here", end: "silent" },
      ]);
      fs.rmSync(file);
    });

    it("--wait ends when a worker is killed before it could leave", async () => {
      const worker = bench().worker();
      await bench().onDuty(1);
      kill(worker.pid, "SIGSTOP");
      const fire = bench().command("recruiter", ["fire", "--wait"]);
      const [id = ""] = bench().workers();
      await until("the note lies there", () => bench().has("jobpod", id, ".fire"));
      worker.kill();
      await until(
        "fire comes back",
        () => !fire.isAlive(),
        10,
        () => bench().describe(),
      );
      expect(fire.exitCode).to.equal(0);
      bench().judge({ over: true });
    });

    it("a worker whose desk is cleared between two heartbeats goes, and does not come back", async () => {
      const workers = Array.from({ length: 6 }, () => bench().worker());
      await bench().onDuty(workers.length);
      await bench().run("recruiter", "fire", "--wait");
      await until(
        "all have ended",
        () => workers.every((worker) => !worker.isAlive()),
        20,
        () => bench().describe(),
      );
      expect(
        bench()
          .ledger()
          .filter((line) => line.event === "hired"),
      ).to.have.length(workers.length);
      bench().judge({ over: true });
    });
  });
});
