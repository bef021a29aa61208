import fs from "node:fs";
import { expect } from "chai";
import { isAlive, processesOf } from "../checker/evidence.js";
import { benches, kill, QUICK, SEED, until } from "./harness.js";

describe("job groups: no process of a job outlives its worker", function () {
  this.timeout(60_000);
  this.slow(10_000);
  before(() => console.log(`    seed ${SEED}`));
  const bench = benches({ ...QUICK, grace: "0.3 s" });

  /** A job that notes the pids of processes that it leaves running, and then goes on until the flag is raised. */
  function familyLine(flag: string, ...children: string[]): string {
    const notes = children.map((child) => `${child} & echo $! >>${pidFile()}`).join("; ");
    return `${notes}; ${bench().lineUntil(flag)}`;
  }

  const pidFile = () => `${bench().base}/pids`;

  async function family(size: number): Promise<number[]> {
    const pids = () =>
      fs.existsSync(pidFile())
        ? fs.readFileSync(pidFile(), "utf8").split("\n").filter(Boolean).map(Number)
        : [];
    await until(`${size} children run`, () => pids().length >= size);
    return pids();
  }

  const anyAlive = (pids: readonly number[]) => pids.some(isAlive);
  const guardians = () =>
    processesOf(bench().root).filter(({ command }) => command.includes("fjord-guardian "));

  it("a job that ignores SIGTERM is killed after the grace time when its worker is fired at once", async () => {
    const dispatcher = bench().dispatcher();
    bench().worker();
    await bench().onDuty(1);
    bench().submit({ job: "stubborn", ends: "jobdone" }, `trap '' TERM; ${bench().lineUntil("go")}`);
    const run = await bench().untilRunning("stubborn");
    expect((await bench().run("recruiter", "fire", "--now", "--wait")).exitCode).to.equal(0);
    expect(isAlive(run)).to.equal(false);
    await until(
      "it is back",
      () => bench().has("jobqueue", "stubborn.ini"),
      10,
      () => bench().describe(),
    );
    bench().raise("go");
    bench().worker();
    await bench().untilEnded();
    expect(dispatcher.isAlive()).to.equal(true);
    await bench().closeDown();
  });

  it("a job that ignores SIGTERM is killed when its time is over", async () => {
    bench().dispatcher();
    bench().worker();
    const stubborn = `trap '' TERM; ${bench().lineUntil("never")}`;
    bench().submit({ job: "stubborn", ends: "jobfailed" }, stubborn, "timeout: 1\n");
    const run = await bench().untilRunning("stubborn");
    await bench().untilEnded();
    expect(isAlive(run)).to.equal(false);
    const ended = bench()
      .ledger()
      .find((line) => line.event === "ended") as { outcome?: { kind: string } };
    expect(ended.outcome?.kind).to.equal("timed-out");
    await bench().closeDown();
  });

  it("a job that forks children and dies takes them with it", async () => {
    bench().dispatcher();
    bench().worker();
    bench().raise("go");
    bench().submit(
      { job: "parent", ends: "jobdone" },
      familyLine("go", "sleep 1000", "(trap '' HUP TERM; sleep 1000)"),
    );
    const children = await family(2);
    await bench().untilEnded();
    await until("its children are gone", () => !anyAlive(children), 10);
    await bench().closeDown();
  });

  it("a child that made a session of its own is out of reach, as the documentation says", async () => {
    bench().dispatcher();
    bench().worker();
    bench().raise("go");
    const escaping = `setsid sh -c 'echo $$ >>${pidFile()}; exec sleep 1000' &`;
    // It has to have left the group before the job ends, or it goes with it.
    const escaped = `while [ ! -s ${pidFile()} ]; do sleep 0.05; done`;
    bench().submit({ job: "parent", ends: "jobdone" }, `${escaping} ${escaped}; ${bench().line(0)}`);
    const [child = 0] = await family(1);
    await bench().untilEnded();
    await bench().run("recruiter", "fire", "--wait");
    expect(isAlive(child)).to.equal(true);
    kill(child);
    await until("it is gone", () => !isAlive(child));
    await bench().closeDown();
  });

  it("kill -9 of a worker: its guardian kills the whole family, with no dispatcher there", async () => {
    const dispatcher = bench().dispatcher();
    const worker = bench().worker();
    bench().submit(
      { job: "parent", ends: "jobdone" },
      // `timeout` makes a process group of its own.
      familyLine("go", "sleep 1000", "(trap '' HUP TERM; sleep 1000)", "timeout 1000 sleep 1000"),
    );
    const run = await bench().untilRunning("parent");
    const children = await family(3);
    dispatcher.kill();
    await dispatcher.ended;
    worker.kill();
    await until(
      "all are gone",
      () => !anyAlive([run, ...children]),
      10,
      () => bench().describe(),
    );
    await until(
      "the guardian, too",
      () => processesOf(bench().root).length === 0,
      10,
      () => bench().describe(),
    );
    bench().raise("go");
    bench().dispatcher();
    bench().worker();
    await bench().untilEnded();
    await bench().closeDown();
  });

  for (const launchers of ["its first launcher", "a later launcher"]) {
    it(`kill -9 of a worker with ${launchers} and its guardian: the roll call kills the family`, async () => {
      bench().dispatcher();
      const worker = bench().worker();
      await bench().onDuty(1);
      if (launchers === "a later launcher") {
        // A launcher is killed with a job whose time is over: the next job has another group.
        bench().submit({ job: "first", ends: "jobfailed" }, bench().lineUntil("never"), "timeout: 0.2\n");
        await bench().untilEnded();
      }
      bench().submit({ job: "parent", ends: "jobdone" }, familyLine("go", "sleep 1000"));
      const run = await bench().untilRunning("parent");
      const children = await family(1);
      for (const { pid } of guardians()) kill(pid);
      worker.kill();
      await until(
        "all are gone",
        () => !anyAlive([run, ...children]),
        10,
        () => bench().describe(),
      );
      bench().raise("go");
      bench().worker();
      await bench().untilEnded();
      await bench().closeDown();
    });
  }

  it("kill -9 of a worker, its guardian and its launcher: the roll call finds the family without its head", async () => {
    bench().dispatcher();
    const worker = bench().worker();
    await bench().onDuty(1);
    bench().submit({ job: "parent", ends: "jobdone" }, familyLine("go", "sleep 1000"));
    const run = await bench().untilRunning("parent");
    const children = await family(1);
    const stat = fs.readFileSync(`/proc/${run}/stat`, "utf8");
    const launcher = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
    kill(worker.pid, "SIGSTOP"); // or it would clear up itself
    for (const { pid } of guardians()) kill(pid);
    kill(launcher);
    worker.kill();
    await until(
      "all are gone",
      () => !anyAlive([run, ...children]),
      10,
      () => bench().describe(),
    );
    bench().raise("go");
    bench().worker();
    await bench().untilEnded();
    await bench().closeDown();
  });

  it("a worker whose directory is removed lets jobs fail that need it, and kills nobody but its jobs", async () => {
    bench().dispatcher();
    const worker = bench().worker();
    await bench().onDuty(1);
    const absolute = `workdir: ${bench().base}\ntimeout: 0.3\n`;
    // The launcher is killed with a job whose time is over; the next one is started where nothing is any more.
    bench().submit({ job: "first", ends: "jobfailed" }, bench().lineUntil("never"), absolute);
    await bench().untilRunning("first");
    fs.rmSync(bench().directory, { recursive: true });
    await bench().untilEnded();
    bench().submit({ job: "relative", ends: "jobfailed" }, bench().line(0));
    bench().submit({ job: "absolute", ends: "jobdone" }, bench().line(0), `workdir: ${bench().base}\n`);
    bench().submit({ job: "over", ends: "jobfailed" }, bench().lineUntil("never"), absolute);
    await bench().untilEnded(15);
    expect(bench().read("joblogs", "relative.1.log")).to.contain(bench().directory);
    expect(worker.isAlive(), worker.output).to.equal(true);
    fs.mkdirSync(bench().directory);
    await bench().closeDown();
  });

  it("a job that kills its launcher and its whole group fails, and nothing else does", async () => {
    bench().dispatcher();
    bench().worker();
    bench().submit({ job: "murderer", ends: "jobfailed" }, "kill -9 0; true");
    bench().submit({ job: "next", ends: "jobdone" }, bench().line(0));
    await bench().untilEnded();
    await bench().closeDown();
  });
});
