import fs from "node:fs";
import { expect } from "chai";
import { SEED } from "../rig/dice.js";
import { isAlive } from "../rig/processes.js";
import { until } from "../rig/until.js";
import { stop, wake } from "./stopped.js";
import { QUICK, witnessedProjectPerTest } from "./witnessed-project.js";

describe("zombies: a process that was stopped, cut off or fenced changes nothing when it comes back", function () {
  this.timeout(90_000);
  this.slow(20_000);
  before(() => console.log(`    seed ${SEED}`));

  describe("a worker", () => {
    const project = witnessedProjectPerTest();

    it("whose desk is removed by hand kills its job and comes back under a new id", async () => {
      project().dispatcher();
      project().worker();
      await project().onDuty(1);
      const [before = ""] = project().workers;
      project().submit({ job: "gone", withdrawn: true }, project().lineUntil("never"));
      const run = await project().untilRunning("gone");
      fs.rmSync(project().path("jobpod", before), { recursive: true });
      await until("the job is killed", () => !isAlive(run));
      project().submit({ job: "next", ends: "jobdone" }, project().line(0));
      await project().untilEnded();
      await project().closeDown();
    });

    it("that cannot renew its heartbeat kills its job in time, and goes on when it can renew it again", async () => {
      project().dispatcher();
      const worker = project().worker();
      await project().onDuty(1);
      project().submit({ job: "cut-off", ends: "jobdone" }, project().lineUntil("go"));
      project().submit({ job: "next", ends: "jobdone" }, project().lineUntil("go"));
      const run = await project()
        .untilRunning("cut-off")
        .catch(() => project().untilRunning("next"));
      fs.renameSync(project().path("workerqueue"), project().path("away"));
      await project().until("the job is killed", () => !isAlive(run));
      const missed = () => project().daemonLogs().split("missed a heartbeat").length - 1;
      await until("the worker has missed many heartbeats", () => missed() > 10 || !worker.isAlive);
      expect(worker.isAlive, worker.output).to.equal(true);
      fs.renameSync(project().path("away"), project().path("workerqueue"));
      project().raise("go");
      await project().untilEnded();
      await project().closeDown();
    });
  });

  describe("a worker with slow beats", () => {
    const project = witnessedProjectPerTest({ ...QUICK, beat: "1 s" });

    it("whose process is stopped as soon as its job has begun: the guardian kills the job, and the job is run again", async () => {
      const dispatcher = project().dispatcher();
      const worker = project().worker();
      await project().onDuty(1);
      project().submit({ job: "long", ends: "jobdone" }, project().lineUntil("go"));
      const run = await project().untilRunning("long");
      await stop(worker);
      dispatcher.kill(); // no dispatcher is there to declare the worker lost
      await project().until("the guardian has killed the job", () => !isAlive(run));
      project().raise("go");
      wake(worker);
      project().dispatcher();
      await project().untilEnded();
      await project().closeDown();
    });
  });

  describe("a worker with little patience", () => {
    const project = witnessedProjectPerTest({ ...QUICK, beat: "0.3 s", lost_after: "3" });

    it("does not kill a job between two of its beats", async () => {
      project().dispatcher();
      project().worker();
      project().submit({ job: "long", ends: "jobdone" }, project().line(2));
      await project().untilEnded();
      await project().closeDown();
    });
  });

  describe("a worker with much patience", () => {
    // The guardian's deadline is far away, so only the worker itself can react so fast.
    const project = witnessedProjectPerTest({ ...QUICK, lost_after: "1000", grace: "60 s" });

    it("that is fenced during the grace time of its job kills the job at once", async () => {
      project().dispatcher();
      project().worker();
      await project().onDuty(1);
      const [id = ""] = project().workers;
      const stubborn = `trap '' TERM; ${project().lineUntil("never")}`;
      project().submit({ job: "stubborn", withdrawn: true }, stubborn, "timeout: 1\n");
      const run = await project().untilRunning("stubborn");
      const log = () => fs.readFileSync(`/proc/${run}/status`, "utf8");
      expect(log()).to.match(/SigIgn:\s*[0-9a-f]*4[0-9a-f]{3}\b/); // SIGTERM, 15
      await until("the job's timeout is over", () => timeOf(run) > 1.2);
      fs.rmSync(project().path("jobpod", id), { recursive: true });
      await until("the job is killed", () => !isAlive(run));
      await project().closeDown();
    });
  });

  describe("a dispatcher", () => {
    const project = witnessedProjectPerTest();
    const dispatching = () => project().ledger.filter((line) => line.event === "dispatching").length;

    function submitMany(from: number, count: number): void {
      for (let n = from; n < from + count; n++) {
        project().submit({ job: `job${n}`, ends: "jobdone" }, project().line(n % 3 === 0 ? 0.02 : 0));
      }
    }

    it("that takes the lock from a live dispatcher loses and repeats no job, and soon only one of them dispatches", async () => {
      const first = project().dispatcher();
      project().worker();
      project().worker();
      await project().onDuty(2);
      submitMany(0, 60);
      await until("the first dispatcher dispatches", () => project().has("dispatcher.ini"));
      fs.rmSync(project().path("dispatcher.lock"), { recursive: true });
      const second = project().dispatcher();
      await project().until("the second dispatcher dispatches, too", () => dispatching() >= 2);
      submitMany(60, 60);
      await until("one of them stands by", () => /standing by/.test(first.output + second.output));
      submitMany(120, 60);
      await project().untilEnded();
      expect(dispatching(), "the dispatchers take turns").to.be.at.most(3);
      await project().closeDown();
    });

    it("that was stopped for long stands by when it wakes up", async () => {
      const stopped = project().dispatcher();
      project().worker();
      await project().onDuty(1);
      submitMany(0, 30);
      await until("the first dispatcher dispatches", () => project().files.done.length > 0);
      await stop(stopped);
      const standby = project().dispatcher();
      await until(
        "the standby dispatches",
        () => dispatching() === 2,
        () => standby.output,
      );
      submitMany(30, 30);
      await project().untilEnded();
      wake(stopped);
      await until("the stopped dispatcher stands by", () => stopped.output.includes("standing by"));
      submitMany(60, 30);
      await project().untilEnded();
      expect(dispatching(), "the dispatchers take turns").to.equal(2);
      expect(stopped.isAlive && standby.isAlive).to.equal(true);
      await project().closeDown();
    });
  });
});

/** Age of a process in seconds. */
function timeOf(pid: number): number {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
  const start = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]) / 100;
  return Number(fs.readFileSync("/proc/uptime", "utf8").split(" ")[0]) - start;
}
