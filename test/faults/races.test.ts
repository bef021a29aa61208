import fs from "node:fs";
import { expect } from "chai";
import pino from "pino";
import { Counts } from "../../src/ledger/counts.js";
import type { Ledger } from "../../src/ledger/ledger.js";
import type { LedgerEvent } from "../../src/ledger/line.js";
import { fire } from "../../src/recruiter/fire.js";
import { assureFile, type Claimed, finish, stampAt } from "../../src/spool/finish.js";
import { identify } from "../../src/spool/identity.js";
import { reclaimWorker } from "../../src/spool/reclaim.js";
import { publish } from "../../src/worker/publish.js";
import { SEED } from "../rig/dice.js";
import { kill } from "../rig/processes.js";
import { until } from "../rig/until.js";
import { ended, Scene, started } from "./scene.js";
import { QUICK, witnessedProjectPerTest } from "./witnessed-project.js";

describe("races: the state after a kill at the worst moment", function () {
  this.timeout(60_000);
  this.slow(10_000);
  before(() => console.log(`    seed ${SEED}`));
  afterEach(() => Scene.closeLedgers());

  describe("taking back from a lost worker (S8)", () => {
    const project = witnessedProjectPerTest();

    it("publishes an outcome if only its rename was missing", async () => {
      const scene = new Scene(project());
      await scene.worker("w");
      project().submit({ job: "a", ends: "jobdone" }, project().line(0));
      const stamp = scene.stamp(scene.claim("w", "a"));
      await scene.tell("w", started("w", "a", 1), ended("w", "a", 1, "jobdone", stamp));
      await reclaimWorker(await scene.reclaimer(), "w", undefined, "test");
      expect(project().files.done).to.deep.equal(["a.ini"]);
    });

    it("counts an attempt as lost once this is recorded, even if the worker has recorded an outcome after that", async () => {
      const scene = new Scene(project());
      await scene.worker("w");
      project().submit({ job: "a", ends: "jobdone" }, project().line(0));
      const stamp = scene.stamp(scene.claim("w", "a"));
      const lost = {
        event: "lost",
        job: "a",
        attempt: 1,
        worker: "w",
        reason: "test",
        to: "jobqueue",
      } as const;
      await scene.tell("d", lost); // the dispatcher was killed before the rename
      await scene.tell("w", started("w", "a", 1), ended("w", "a", 1, "jobdone", stamp));
      await reclaimWorker(await scene.reclaimer(), "w", undefined, "test");
      expect(project().files.queued).to.deep.equal(["a.ini"]);
    });

    it("does not mistake an earlier outcome for the outcome of a new job with the same name", async () => {
      const scene = new Scene(project());
      await scene.worker("w");
      project().submit({ job: "a" }, project().line(0));
      const first = scene.claim("w", "a");
      await scene.tell("w", started("w", "a", 1), ended("w", "a", 1, "jobdone", scene.stamp(first)));
      fs.writeFileSync(scene.layout.attemptLog("a", 1), "");
      fs.renameSync(first, scene.layout.ended("jobdone", "a.ini"));
      fs.rmSync(`${first}.lock`);
      project().submit({ job: "a", ends: "jobdone" }, project().line(0.01));
      scene.claim("w", "a"); // the worker was killed before it wrote `started`
      project().dispatcher();
      project().worker();
      await project().until("the new job has run", () => fs.existsSync(project().witness));
      await until(
        "the new job has ended",
        () =>
          !project()
            .desks()
            .some((desk) => project().list("jobpod", desk).includes("a.ini")),
      );
      await project().closeDown({ witness: undefined });
    });

    it("leaves the decision to the ledger when the worker wakes up during its last rename", async () => {
      for (const to of ["jobdone", "retry"] as const) {
        const job = `b-${to}`;
        const scene = new Scene(project());
        await scene.worker(job);
        project().submit({ job }, project().line(0));
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
        // The worker stops after it has written `ended`. It is declared lost, its outcome is published, and then it
        // wakes up.
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
          run: `${job}.1`,
          stamp: scene.stamp(path),
          outcome,
          start: new Date(),
          end: new Date(),
          seconds: 1,
          cpu: null,
          memory: null,
        };
        const by = {
          ...scene.site,
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
          project()
            .ledger.filter((l) => "job" in l && l.job === job)
            .map((l) => l.event),
        ).to.deep.equal(["started", "ended"]);
        expect(await reclaimer.counts.attemptsOf(job, claimed)).to.include({ failed: retries });
      }
      project().judge({ witness: undefined });
    });

    it("moves each job once when two processes do it at the same time", async () => {
      for (let round = 0; round < 20; round++) {
        const scene = new Scene(project(), "network");
        const worker = `w${round}`;
        await scene.worker(worker);
        const jobs = ["a", "b", "c"].map((letter) => `${letter}${round}`);
        for (const job of jobs) project().submit({ job }, project().line(0));
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
        expect(project().files.done.includes(`${done}.ini`)).to.equal(true);
        expect(project().files.failed.includes(`${running}.ini`)).to.equal(true);
        expect(project().files.queued.includes(`${waiting}.ini`)).to.equal(true);
        expect(project().desks()).to.deep.equal(["retry"]);
      }
      project().judge({ witness: undefined });
    });

    it("does not count a lost attempt twice when it is repeated after a kill", async () => {
      const scene = new Scene(project());
      await scene.worker("w");
      project().submit({ job: "a" }, project().line(0));
      scene.claim("w", "a");
      await scene.tell("w", started("w", "a", 1));
      await scene.tell("d", { event: "lost", job: "a", attempt: 1, worker: "w", reason: "", to: "jobqueue" });
      const [job] = await reclaimWorker(await scene.reclaimer(2), "w", undefined, "test");
      expect(job?.to).to.equal("jobqueue");
    });

    it("gives up the same job when it is repeated after a kill", async () => {
      const scene = new Scene(project());
      await scene.worker("w");
      project().submit({ job: "a" }, project().line(0));
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

    it("does not count an outcome that a lost worker recorded and nobody published", async () => {
      for (const order of [
        ["a-w", "z-d"],
        ["z-w", "a-d"],
      ]) {
        const [w = "", d = ""] = order;
        const scene = new Scene(project());
        const job = `job-${w}`;
        await scene.tell(w, started(w, job, 3), ended(w, job, 3, "retry", "7:1:1"));
        await scene.tell("e", started("e", job, 4), ended("e", job, 4, "jobdone", "7:1:2"));
        await scene.tell(d, { event: "lost", job, attempt: 4, worker: "e", reason: "", to: "jobqueue" });
        expect(await new Counts(scene.site).attemptsOf(job, { ino: 7, mtimeMs: 1 })).to.include({
          failed: 1,
          lost: 1,
        });
      }
    });

    it("removes the temporary file and the key of a worker that was killed during its heartbeat", async () => {
      const scene = new Scene(project());
      await scene.worker("w");
      fs.writeFileSync(project().path("workerqueue", ".w.tmp"), "[wor");
      fs.linkSync(scene.layout.announcement("w"), scene.layout.pulse("w"));
      fs.writeFileSync(scene.layout.key("w"), "w\n");
      await reclaimWorker(await scene.reclaimer(), "w", undefined, "test");
      project().judge({ over: true });
    });

    it("removes the second name of an announcement that was removed by hand", async () => {
      const scene = new Scene(project());
      await scene.worker("w");
      fs.linkSync(scene.layout.announcement("w"), scene.layout.pulse("w"));
      fs.rmSync(scene.layout.announcement("w"));
      const dispatcher = project().dispatcher();
      await until(
        "its desk is cleared",
        () => !project().has("jobpod", "w"),
        () => dispatcher.output,
      );
      await project().closeDown();
    });

    it("removes the second names of the announcements of dead workers, and keeps those of live ones", async () => {
      const { layout } = new Scene(project());
      const orphan = layout.pulse("nobody");
      project().worker();
      await project().onDuty(1);
      const [id = ""] = project().workers;
      const inode = (file: string) => fs.statSync(file, { throwIfNoEntry: false })?.ino;
      await until("the announcement has its second name", () => inode(layout.pulse(id)) !== undefined);
      const before = inode(layout.announcement(id));
      const dispatcher = project().dispatcher();
      for (let rollCall = 0; rollCall < 3; rollCall++) {
        fs.writeFileSync(orphan, "");
        await until(
          "it is gone",
          () => !fs.existsSync(orphan),
          () => dispatcher.output,
        );
      }
      expect(inode(layout.pulse(id))).to.equal(before);
      expect(inode(layout.announcement(id))).to.equal(before);
      await project().closeDown();
    });

    it("removes the empty announcement of a worker that was killed at its start", async () => {
      fs.writeFileSync(project().path("workerqueue", "unborn.ini"), "");
      const dispatcher = project().dispatcher();
      const isClear = () => project().list(project().layout.workerqueue).length === 0;
      await until("the announcement is gone", isClear, () => dispatcher.output);
      await project().closeDown();
    });

    it("is finished by the next dispatcher before it says that all jobs have ended", async () => {
      const scene = new Scene(project());
      // The worker is alive and announced. A dispatcher fenced its desk and was killed then.
      await scene.worker("zombie", identify());
      project().submit({ job: "fenced", ends: "jobdone" }, project().line(0));
      scene.claim("zombie", "fenced");
      fs.renameSync(scene.layout.desk("zombie"), scene.layout.fencedDesk("zombie"));
      project().submit({ job: "other", ends: "jobdone" }, project().line(0));
      project().worker();
      expect((await project().run("dispatcher")).exitCode).to.equal(0);
      expect(project().unended()).to.deep.equal([]);
      await project().closeDown();
    });
  });

  describe("finishing (S6)", () => {
    const project = witnessedProjectPerTest();

    it("writes a file that the job deleted again before the ledger says that the job ended", async () => {
      const scene = new Scene(project());
      await scene.worker("w");
      project().submit({ job: "a" }, project().line(0));
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
      const stamp = (await assureFile(scene.site, claimed)) as string;
      expect(await stampAt(scene.store, path)).to.equal(stamp);
      expect(await finish(scene.site, claimed, "jobdone", stamp)).to.equal("published");
      expect(project().files.done).to.deep.equal(["a.ini"]);
    });

    it("distinguishes a job that was taken back from a desk that was fenced", async () => {
      const scene = new Scene(project());
      await scene.worker("w");
      project().submit({ job: "a" }, project().line(0));
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
      expect(await assureFile(scene.site, claimed)).to.equal(undefined);
      expect(await finish(scene.site, claimed, "jobdone", "")).to.equal("taken");
      fs.renameSync(scene.layout.desk("w"), scene.layout.fencedDesk("w"));
      expect(await finish(scene.site, claimed, "jobdone", "")).to.equal("fenced");
    });
  });

  describe("deciding on a retry (S9)", () => {
    const project = witnessedProjectPerTest();

    it("gives up the same job when it was killed before the rename", async () => {
      const scene = new Scene(project());
      project().submit({ job: "a", ends: "jobfailed", retries: 1 }, project().line(0, 1));
      const desk = scene.layout.toRetry("a.ini");
      fs.renameSync(scene.layout.queued("a.ini"), desk);
      const stamp = scene.stamp(desk);
      for (const attempt of [1, 2]) {
        fs.writeFileSync(scene.layout.attemptLog("a", attempt), "");
        await scene.tell("w", started("w", "a", attempt), ended("w", "a", attempt, "retry", stamp));
      }
      await scene.tell("d", { event: "retry", job: "a", attempt: 2, to: "jobfailed", reason: "", stamp });
      project().dispatcher();
      project().worker();
      await project().untilEnded();
      expect(fs.existsSync(project().witness), "it was run again").to.equal(false);
      await project().closeDown();
    });
  });

  describe("a job whose name is put into the queue again", () => {
    const project = witnessedProjectPerTest({ ...QUICK, retry_backoff: "0.1 s" });
    const publishedAs = (room: string) =>
      project().ledger.filter((line) => "to" in line && line.to === room).length;
    const isClear = () => project().files.queued.length + project().files.retrying.length === 0;

    it("runs although the first job runs and its worker is fired", async () => {
      project().dispatcher();
      project().worker();
      project().submit({ job: "twin", ends: "jobdone" }, project().lineUntil("go"));
      await project().untilRunning("twin");
      project().submit({ job: "twin", ends: "jobdone" }, project().line(0));
      await project().run("recruiter", ["fire", "--now", "--wait"]);
      project().raise("go");
      project().worker();
      await project().until("both jobs have left the queue", isClear);
      await project().untilEnded();
      await until("both jobs have ended", () => publishedAs("jobdone") === 2);
      await project().closeDown();
    });

    it("runs although the first job waits for its next attempt", async () => {
      project().dispatcher();
      project().worker();
      project().submit({ job: "twin", retries: 1 }, `${project().lineUntil("go")}; false`);
      await project().untilRunning("twin");
      project().submit({ job: "twin", ends: "jobfailed", retries: 1 }, project().line(0, 1));
      project().raise("go");
      await project().until(
        "both jobs have left the queue",
        () => isClear() && project().unended().length === 0,
      );
      await project().until("both jobs have ended", () => publishedAs("jobfailed") === 2);
      await project().closeDown();
    });
  });

  describe("firing", () => {
    // Many beats, and a lease that is long enough for slow machines.
    const project = witnessedProjectPerTest({
      ...QUICK,
      beat: "0.02 s",
      lost_after: "200",
      store: "network",
      settle: "0.1 s",
    });

    it("does not report a worker as gone while its announcement is overwritten", async () => {
      const scene = new Scene(project(), "local");
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
      const worker = project().worker();
      await project().onDuty(1);
      kill(worker.pid, "SIGSTOP");
      const fire = project().command("recruiter", ["fire", "--wait"]);
      const [id = ""] = project().workers;
      await until("the note is on the desk", () => project().has("jobpod", id, ".fire"));
      worker.kill();
      await project().until("recruiter fire has ended", () => !fire.isAlive);
      expect(fire.exitCode).to.equal(0);
      project().judge({ over: true });
    });

    it("a worker whose desk is removed between two heartbeats leaves, and does not come back", async () => {
      const workers = Array.from({ length: 6 }, () => project().worker());
      await project().onDuty(workers.length);
      await project().run("recruiter", ["fire", "--wait"]);
      await project().until("all workers have ended", () => workers.every((worker) => !worker.isAlive));
      expect(project().ledger.filter((line) => line.event === "hired")).to.have.length(workers.length);
      project().judge({ over: true });
    });
  });
});
