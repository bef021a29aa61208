import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { expect } from "chai";
import { benches, Dice, kill, SEED, until } from "./harness.js";

describe("what fjd gets wrong: its nine defects", function () {
  this.timeout(60_000);
  this.slow(10_000);
  before(() => console.log(`    seed ${SEED}`));
  const bench = benches();

  it("1: a dispatcher that dies between handing a job out and anything after loses no job, and puts no second over the first", async () => {
    // The handing out is one rename: killed at a random moment after the n-th, again and again, with others waiting.
    const dice = new Dice(SEED);
    bench().worker();
    bench().worker();
    await bench().onDuty(2);
    for (let n = 0; n < 40; n++) bench().submit({ job: `job${n}`, ends: "jobdone" }, bench().line(0.03));
    for (let round = 0; round < 6; round++) {
      const dispatcher = bench().dispatcher();
      const before = bench().list("jobqueue").length;
      const hasHandedOut = () => bench().list("jobqueue").length < before || before === 0;
      await until("it has handed a job out", hasHandedOut, 20, () => bench().describe());
      if (dice.next() < 0.5) await new Promise((resolve) => setImmediate(resolve));
      dispatcher.kill();
      await dispatcher.ended;
      await bench().judgeNow({ oneHost: true });
    }
    bench().dispatcher();
    await bench().untilEnded();
    await bench().closeDown();
  });

  it("2: workers that are ready again at once never starve", async () => {
    bench().dispatcher();
    bench().worker();
    bench().worker();
    await bench().onDuty(2);
    for (let round = 0; round < 5; round++) {
      for (let n = 0; n < 20; n++) bench().submit({ job: `job${round}-${n}`, ends: "jobdone" }, "true");
      await bench().untilEnded();
    }
    // Two jobs at once that wait for each other's start: both workers still take jobs.
    bench().submit({ job: "left", ends: "jobdone" }, bench().lineUntil("go"));
    bench().submit({ job: "right", ends: "jobdone" }, bench().lineUntil("go"));
    await bench().untilRunning("left");
    await bench().untilRunning("right");
    bench().raise("go");
    await bench().untilEnded();
    await bench().closeDown({ witness: undefined });
  });

  it("2: nor does a job that lies behind one which turns out to be long", async () => {
    bench().dispatcher();
    bench().worker();
    await bench().onDuty(1);
    for (let n = 0; n < 20; n++) bench().submit({ job: `quick${n}`, ends: "jobdone" }, "true");
    await bench().untilEnded();
    bench().submit({ job: "long", ends: "jobdone" }, bench().lineUntil("go"));
    bench().submit({ job: "next", ends: "jobdone" }, bench().lineUntil("go"));
    await bench().untilRunning("long");
    bench().worker();
    await bench().untilRunning("next");
    bench().raise("go");
    await bench().untilEnded();
    await bench().closeDown({ witness: undefined });
  });

  it("3: the job of a worker killed with -9 is run by another, and the dispatcher comes to its end", async () => {
    const worker = bench().worker();
    await bench().onDuty(1);
    bench().submit({ job: "long", ends: "jobdone" }, bench().lineUntil("go"));
    const dispatcher = bench().command("dispatcher", []);
    await bench().untilRunning("long");
    worker.kill();
    bench().raise("go");
    bench().worker();
    await until(
      "the dispatcher has ended",
      () => !dispatcher.isAlive(),
      30,
      () => bench().describe(),
    );
    expect(dispatcher.exitCode).to.equal(0);
    await bench().closeDown();
  });

  it("4: a job file that is written bit by bit is run once, when it is whole", async () => {
    bench().dispatcher();
    bench().worker();
    await bench().onDuty(1);
    const path = bench().path("jobqueue", "slow.ini");
    const fd = fs.openSync(path, "w");
    fs.writeSync(fd, "[control]\nexecutable: ");
    // The queue is looked at again and again meanwhile: jobs that come later are done.
    for (const name of ["first", "second", "third"]) {
      bench().submit({ job: name, ends: "jobdone" }, bench().line(0));
      await bench().untilEnded();
      expect(bench().has("jobqueue", "slow.ini")).to.equal(true);
      fs.writeSync(fd, name === "third" ? `${bench().line(0)}\n` : "   ");
    }
    fs.closeSync(fd);
    bench().accepted.push({ job: "slow", ends: "jobdone" });
    await bench().untilEnded();
    await bench().closeDown();
  });

  it("5: files that are no jobs cost no worker", async () => {
    bench().dispatcher();
    const workers = [bench().worker(), bench().worker()];
    await bench().onDuty(2);
    const bad = {
      "no-section": "executable: true\n",
      "other-section": "[jobs]\nexecutable: true\n",
      binary: "\0\x01\xff",
    };
    for (const [job, text] of Object.entries(bad)) {
      fs.writeFileSync(bench().path(`.${job}`), text);
      fs.renameSync(bench().path(`.${job}`), bench().path("jobqueue", `${job}.ini`));
      bench().accepted.push({ job, ends: "jobfailed" });
    }
    bench().submit({ job: "good", ends: "jobdone" }, bench().line(0));
    await bench().untilEnded();
    expect(workers.every((worker) => worker.isAlive())).to.equal(true);
    expect(
      bench()
        .ledger()
        .filter((line) => line.event === "refused"),
    ).to.have.length(3);
    await bench().closeDown();
  });

  it("6: commands that come later empty nothing: no queue, no desk, no room", async () => {
    const first = bench().dispatcher();
    bench().worker();
    await bench().onDuty(1);
    bench().submit({ job: "done", ends: "jobdone" }, bench().line(0));
    await bench().untilEnded();
    bench().submit({ job: "running", ends: "jobdone" }, bench().lineUntil("go"));
    await bench().untilRunning("running");
    bench().submit({ job: "waiting", ends: "jobdone" }, bench().line(0));
    const second = bench().command("dispatcher", []);
    await until(
      "the second stands by",
      () => second.output.includes("standing by"),
      20,
      () => second.output,
    );
    await bench().run("dispatcher", "--status-only");
    await bench().run("fjord", "status");
    await bench().run("recruiter", "list");
    await bench().run("recruiter", "hire", "1");
    await bench().judgeNow();
    expect(bench().has("jobdone", "done.ini")).to.equal(true);
    expect(bench().running("running")).to.not.equal(undefined);
    bench().raise("go");
    await bench().untilEnded();
    expect(first.isAlive()).to.equal(true);
    await bench().closeDown();
  });

  it("7: who is fired is who was named, not who has a name that begins so", async () => {
    for (const id of ["test", "test2", "other-test"]) bench().command("worker", ["--id", id]);
    await bench().onDuty(3);
    expect((await bench().run("recruiter", "fire", "test", "--wait")).exitCode).to.equal(0);
    expect(bench().workers().sort()).to.deep.equal(["other-test", "test2"]);
    expect((await bench().run("recruiter", "fire", "tes")).exitCode).to.equal(3);
    expect(bench().workers()).to.have.length(2);
    bench().dispatcher();
    bench().submit({ job: "job", ends: "jobdone" }, bench().line(0));
    await bench().untilEnded();
    await bench().closeDown();
  });

  it("8: a host of one CPU hires one worker, and the number given is the number hired", async function () {
    if (spawnSync("taskset", ["-c", "0", "true"]).status !== 0) {
      console.log("    skipped: taskset is not installed");
      this.skip();
    }
    const hire = bench().command("recruiter", ["hire"], { prefix: ["taskset", "-c", "0"] });
    await until(
      "it has hired",
      () => !hire.isAlive(),
      30,
      () => hire.output,
    );
    expect(hire.exitCode, hire.output).to.equal(0);
    expect(bench().workers()).to.have.length(1);
    await bench().run("recruiter", "hire", "2");
    expect(bench().workers()).to.have.length(3);
    bench().submit({ job: "single", ends: "jobdone" }, bench().line(0));
    const dispatcher = await bench().run("dispatcher");
    expect(dispatcher.exitCode, dispatcher.output).to.equal(0);
    await bench().closeDown();
  });

  it("9: success, failure and loss are three things, and no job file is thrown away", async () => {
    const worker = bench().worker();
    await bench().onDuty(1);
    bench().submit({ job: "good", ends: "jobdone" }, bench().line(0));
    bench().submit({ job: "bad", ends: "jobfailed" }, bench().line(0, 7));
    bench().submit({ job: "lost", ends: "jobdone" }, bench().lineUntil("go"));
    const dispatcher = bench().command("dispatcher", []);
    await bench().untilRunning("lost");
    await until(
      "the others have ended",
      () => bench().unended().length === 1,
      20,
      () => bench().describe(),
    );
    kill(worker.pid);
    bench().raise("go");
    bench().worker();
    await until(
      "the dispatcher has ended",
      () => !dispatcher.isAlive(),
      30,
      () => bench().describe(),
    );
    expect(dispatcher.exitCode, "a failed job shows in the exit code").to.equal(1);
    const told = (job: string) =>
      bench()
        .ledger()
        .filter((line) => line.job === job && line.event !== "started")
        .map((line) => [line.event, (line as { outcome?: object }).outcome]);
    expect(told("good")).to.deep.equal([["ended", { kind: "succeeded" }]]);
    expect(told("bad")).to.deep.equal([["ended", { kind: "failed", code: 7 }]]);
    expect(told("lost")).to.deep.include.members([
      ["lost", undefined],
      ["ended", { kind: "succeeded" }],
    ]);
    await bench().closeDown();
  });
});
