import fs from "node:fs";
import { expect } from "chai";
import { isAlive, stateOf } from "../checker/evidence.js";
import { benches, type Daemon, kill, QUICK, SEED, until } from "./harness.js";

async function stop(daemon: Daemon): Promise<void> {
  kill(daemon.pid, "SIGSTOP");
  await until("it is stopped", () => stateOf(daemon.pid) === "T");
}

function wake(daemon: Daemon): void {
  kill(daemon.pid, "SIGCONT");
}

describe("zombies: who was stopped, cut off or fenced comes back to nothing", function () {
  this.timeout(90_000);
  this.slow(20_000);
  before(() => console.log(`    seed ${SEED}`));

  describe("a worker", () => {
    const bench = benches();

    it("that was stopped for longer than its lease publishes nothing; another's outcome counts", async () => {
      const dispatcher = bench().dispatcher();
      const stopped = bench().worker();
      await bench().onDuty(1);
      const [zombie = ""] = bench().workers();
      bench().submit({ job: "long", ends: "jobdone" }, bench().lineUntil("go"));
      const run = await bench().untilRunning("long");
      await stop(stopped);
      const declared = () =>
        bench()
          .ledger()
          .some((line) => line.event === "lost" && line.job === "long");
      await until("it is declared lost", declared, 30, () => bench().describe());
      expect(isAlive(run), "its job lives on").to.equal(false);
      bench().worker();
      await bench().untilRunning("long");
      bench().raise("go");
      await bench().untilEnded();
      wake(stopped);
      await until(
        "it is on duty under a new id",
        () => bench().workers().length === 2 && !bench().workers().includes(zombie),
        30,
        () => bench().describe(),
      );
      const words = bench()
        .ledger()
        .filter((line) => line.worker === zombie);
      expect(words.map((line) => line.event)).to.include("left");
      expect(words.filter((line) => line.event === "ended")).to.deep.equal([]);
      expect(stopped.isAlive()).to.equal(true);
      expect(dispatcher.isAlive()).to.equal(true);
      await bench().closeDown();
    });

    it("whose desk is removed by hand kills its job and comes back under a new id", async () => {
      bench().dispatcher();
      bench().worker();
      await bench().onDuty(1);
      const [before = ""] = bench().workers();
      bench().submit({ job: "gone", withdrawn: true }, bench().lineUntil("never"));
      const run = await bench().untilRunning("gone");
      fs.rmSync(bench().path("jobpod", before), { recursive: true });
      await until("its job is killed", () => !isAlive(run), 10);
      bench().submit({ job: "next", ends: "jobdone" }, bench().line(0));
      await bench().untilEnded();
      await bench().closeDown();
    });

    it("that cannot renew its heartbeat kills its job in time, and goes on when it can again", async () => {
      bench().dispatcher();
      const worker = bench().worker();
      await bench().onDuty(1);
      bench().submit({ job: "cut-off", ends: "jobdone" }, bench().lineUntil("go"));
      bench().submit({ job: "next", ends: "jobdone" }, bench().lineUntil("go"));
      const run = await bench()
        .untilRunning("cut-off")
        .catch(() => bench().untilRunning("next"));
      fs.renameSync(bench().path("workerqueue"), bench().path("away"));
      await until(
        "its job is killed",
        () => !isAlive(run),
        10,
        () => bench().describe(),
      );
      const missed = () => bench().daemonLogs().split("missed a heartbeat").length - 1;
      await until("it has missed many", () => missed() > 10 || !worker.isAlive(), 20);
      expect(worker.isAlive(), worker.output).to.equal(true);
      fs.renameSync(bench().path("away"), bench().path("workerqueue"));
      bench().raise("go");
      await bench().untilEnded();
      await bench().closeDown();
    });
  });

  describe("a worker with slow beats", () => {
    const bench = benches({ ...QUICK, beat: "1 s" });

    it("that is stopped as soon as its job has begun: the guardian kills it, and it is run again", async () => {
      const dispatcher = bench().dispatcher();
      const worker = bench().worker();
      await bench().onDuty(1);
      bench().submit({ job: "long", ends: "jobdone" }, bench().lineUntil("go"));
      const run = await bench().untilRunning("long");
      await stop(worker);
      dispatcher.kill(); // nobody is there to declare it lost
      await until(
        "the guardian has killed the job",
        () => !isAlive(run),
        20,
        () => bench().describe(),
      );
      bench().raise("go");
      wake(worker);
      bench().dispatcher();
      await bench().untilEnded();
      await bench().closeDown();
    });
  });

  describe("a worker with little patience", () => {
    const bench = benches({ ...QUICK, beat: "0.3 s", lost_after: "3" });

    it("does not kill a job between two of its beats", async () => {
      bench().dispatcher();
      bench().worker();
      bench().submit({ job: "long", ends: "jobdone" }, bench().line(2));
      await bench().untilEnded();
      await bench().closeDown();
    });
  });

  describe("a worker with much patience", () => {
    // The guardian's deadline is far away: only the worker itself can be so quick.
    const bench = benches({ ...QUICK, lost_after: "1000", grace: "60 s" });

    it("that is fenced while its job has grace left kills it at once", async () => {
      bench().dispatcher();
      bench().worker();
      await bench().onDuty(1);
      const [id = ""] = bench().workers();
      const stubborn = `trap '' TERM; ${bench().lineUntil("never")}`;
      bench().submit({ job: "stubborn", withdrawn: true }, stubborn, "timeout: 1\n");
      const run = await bench().untilRunning("stubborn");
      const log = () => fs.readFileSync(`/proc/${run}/status`, "utf8");
      expect(log()).to.match(/SigIgn:\s*[0-9a-f]*4[0-9a-f]{3}\b/); // SIGTERM, 15
      await until("its time is over", () => timeOf(run) > 1.2, 10);
      fs.rmSync(bench().path("jobpod", id), { recursive: true });
      await until("it is killed", () => !isAlive(run), 20);
      await bench().closeDown();
    });
  });

  describe("a dispatcher", () => {
    const bench = benches();
    const dispatching = () =>
      bench()
        .ledger()
        .filter((line) => line.event === "dispatching").length;

    function submitMany(from: number, count: number): void {
      for (let n = from; n < from + count; n++) {
        bench().submit({ job: `job${n}`, ends: "jobdone" }, bench().line(n % 3 === 0 ? 0.02 : 0));
      }
    }

    it("beside another by force: nothing is lost, nothing is double, and soon there is one", async () => {
      const first = bench().dispatcher();
      bench().worker();
      bench().worker();
      await bench().onDuty(2);
      submitMany(0, 60);
      await until("the first one dispatches", () => bench().has("dispatcher.ini"));
      fs.rmSync(bench().path("dispatcher.lock"), { recursive: true });
      const second = bench().dispatcher();
      await until(
        "the second dispatches, too",
        () => dispatching() >= 2,
        30,
        () => bench().describe(),
      );
      submitMany(60, 60);
      await until("one of them stands by", () => /standing by/.test(first.output + second.output));
      submitMany(120, 60);
      await bench().untilEnded();
      expect(dispatching(), "the seat goes to and fro").to.be.at.most(3);
      await bench().closeDown();
    });

    it("that was stopped for long stands by when it wakes up", async () => {
      const stopped = bench().dispatcher();
      bench().worker();
      await bench().onDuty(1);
      submitMany(0, 30);
      await until("it dispatches", () => bench().list("jobdone").length > 0);
      await stop(stopped);
      const standby = bench().dispatcher();
      await until(
        "the standby has the seat",
        () => dispatching() === 2,
        30,
        () => standby.output,
      );
      submitMany(30, 30);
      await bench().untilEnded();
      wake(stopped);
      await until("it stands by", () => stopped.output.includes("standing by"));
      submitMany(60, 30);
      await bench().untilEnded();
      expect(dispatching(), "the seat goes to and fro").to.equal(2);
      expect(stopped.isAlive() && standby.isAlive()).to.equal(true);
      await bench().closeDown();
    });
  });
});

/** Seconds that a process has lived. */
function timeOf(pid: number): number {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
  const start = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]) / 100;
  return Number(fs.readFileSync("/proc/uptime", "utf8").split(" ")[0]) - start;
}
