import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { expect } from "chai";
import { Dice, SEED } from "../rig/dice.js";
import { kill } from "../rig/processes.js";
import { until } from "../rig/until.js";
import { witnessedProjectPerTest } from "./witnessed-project.js";

describe("the nine defects of fjd are not in fjord", function () {
  this.timeout(60_000);
  this.slow(10_000);
  before(() => console.log(`    seed ${SEED}`));
  const project = witnessedProjectPerTest();

  it("1: a dispatcher that dies after it has handed a job out loses no job, and overwrites none with a second one", async () => {
    // A dispatcher hands a job out by one rename. It is killed at a random moment after that, while other jobs wait.
    const dice = new Dice(SEED);
    project().worker();
    project().worker();
    await project().onDuty(2);
    for (let n = 0; n < 40; n++) project().submit({ job: `job${n}`, ends: "jobdone" }, project().line(0.03));
    for (let round = 0; round < 6; round++) {
      const dispatcher = project().dispatcher();
      const before = project().files.queued.length;
      const hasHandedOut = () => project().files.queued.length < before || before === 0;
      await project().until("the dispatcher has handed a job out", hasHandedOut);
      if (dice.next() < 0.5) await new Promise((resolve) => setImmediate(resolve));
      dispatcher.kill();
      await dispatcher.exit;
      await project().judgeNow({ oneHost: true });
    }
    project().dispatcher();
    await project().untilEnded();
    await project().closeDown();
  });

  it("2: workers that are ready again at once never starve", async () => {
    project().dispatcher();
    project().worker();
    project().worker();
    await project().onDuty(2);
    for (let round = 0; round < 5; round++) {
      for (let n = 0; n < 20; n++) project().submit({ job: `job${round}-${n}`, ends: "jobdone" }, "true");
      await project().untilEnded();
    }
    // These two jobs wait for each other to start, so they end only if both workers still take jobs.
    project().submit({ job: "left", ends: "jobdone" }, project().lineUntil("go"));
    project().submit({ job: "right", ends: "jobdone" }, project().lineUntil("go"));
    await project().untilRunning("left");
    await project().untilRunning("right");
    project().raise("go");
    await project().untilEnded();
    await project().closeDown({ witness: undefined });
  });

  it("2: a job behind a long job does not starve", async () => {
    project().dispatcher();
    project().worker();
    await project().onDuty(1);
    for (let n = 0; n < 20; n++) project().submit({ job: `quick${n}`, ends: "jobdone" }, "true");
    await project().untilEnded();
    project().submit({ job: "long", ends: "jobdone" }, project().lineUntil("go"));
    project().submit({ job: "next", ends: "jobdone" }, project().lineUntil("go"));
    await project().untilRunning("long");
    project().worker();
    await project().untilRunning("next");
    project().raise("go");
    await project().untilEnded();
    await project().closeDown({ witness: undefined });
  });

  it("4: a job file that is written bit by bit is run once, when it is complete", async () => {
    project().dispatcher();
    project().worker();
    await project().onDuty(1);
    const path = project().path("jobqueue", "slow.ini");
    const fd = fs.openSync(path, "w");
    fs.writeSync(fd, "[control]\nexecutable: ");
    // Other jobs come and end meanwhile, so the dispatcher looks at the queue several times.
    for (const name of ["first", "second", "third"]) {
      project().submit({ job: name, ends: "jobdone" }, project().line(0));
      await project().untilEnded();
      expect(project().files.queued.includes("slow.ini")).to.equal(true);
      fs.writeSync(fd, name === "third" ? `${project().line(0)}\n` : "   ");
    }
    fs.closeSync(fd);
    project().accepted.push({ job: "slow", ends: "jobdone" });
    await project().untilEnded();
    await project().closeDown();
  });

  it("5: files that are not jobs stop no worker", async () => {
    project().dispatcher();
    const workers = [project().worker(), project().worker()];
    await project().onDuty(2);
    const bad = {
      "no-section": "executable: true\n",
      "other-section": "[jobs]\nexecutable: true\n",
      binary: "\0\x01\xff",
    };
    for (const [job, text] of Object.entries(bad)) {
      fs.writeFileSync(project().path(`.${job}`), text);
      fs.renameSync(project().path(`.${job}`), project().path("jobqueue", `${job}.ini`));
      project().accepted.push({ job, ends: "jobfailed" });
    }
    project().submit({ job: "good", ends: "jobdone" }, project().line(0));
    await project().untilEnded();
    expect(workers.every((worker) => worker.isAlive)).to.equal(true);
    expect(project().ledger.filter((line) => line.event === "refused")).to.have.length(3);
    await project().closeDown();
  });

  it("6: later commands empty no queue, no desk and no directory of ended jobs", async () => {
    const first = project().dispatcher();
    project().worker();
    await project().onDuty(1);
    project().submit({ job: "done", ends: "jobdone" }, project().line(0));
    await project().untilEnded();
    project().submit({ job: "running", ends: "jobdone" }, project().lineUntil("go"));
    await project().untilRunning("running");
    project().submit({ job: "waiting", ends: "jobdone" }, project().line(0));
    const second = project().command("dispatcher", []);
    await until(
      "the second dispatcher stands by",
      () => second.output.includes("standing by"),
      () => second.output,
    );
    await project().run("dispatcher", ["--status-only"]);
    await project().run("fjord", ["status"]);
    await project().run("recruiter", ["list"]);
    await project().run("recruiter", ["hire", "1"]);
    await project().judgeNow();
    expect(project().files.done.includes("done.ini")).to.equal(true);
    expect(project().running("running")).to.not.equal(undefined);
    project().raise("go");
    await project().untilEnded();
    expect(first.isAlive).to.equal(true);
    await project().closeDown();
  });

  it("7: fire ends the worker with exactly this name, and not workers whose names begin with it", async () => {
    for (const id of ["test", "test2", "other-test"]) project().command("worker", ["--id", id]);
    await project().onDuty(3);
    expect((await project().run("recruiter", ["fire", "test", "--wait"])).exitCode).to.equal(0);
    expect(project().workers.sort()).to.deep.equal(["other-test", "test2"]);
    expect((await project().run("recruiter", ["fire", "tes"])).exitCode).to.equal(3);
    expect(project().workers).to.have.length(2);
    project().dispatcher();
    project().submit({ job: "job", ends: "jobdone" }, project().line(0));
    await project().untilEnded();
    await project().closeDown();
  });

  it("8: a host of one CPU hires one worker, and the number given is the number hired", async function () {
    if (spawnSync("taskset", ["-c", "0", "true"]).status !== 0) {
      console.log("    skipped: taskset is not installed");
      this.skip();
    }
    const hire = project().command("recruiter", ["hire"], { prefix: ["taskset", "-c", "0"] });
    await until(
      "the recruiter has ended",
      () => !hire.isAlive,
      () => hire.output,
    );
    expect(hire.exitCode, hire.output).to.equal(0);
    expect(project().workers).to.have.length(1);
    await project().run("recruiter", ["hire", "2"]);
    expect(project().workers).to.have.length(3);
    project().submit({ job: "single", ends: "jobdone" }, project().line(0));
    const dispatcher = await project().run("dispatcher");
    expect(dispatcher.exitCode, dispatcher.stdout).to.equal(0);
    await project().closeDown();
  });

  it("3 and 9: the job of a killed worker is run by another worker; success, failure and loss differ; no job file is thrown away", async () => {
    const worker = project().worker();
    await project().onDuty(1);
    project().submit({ job: "good", ends: "jobdone" }, project().line(0));
    project().submit({ job: "bad", ends: "jobfailed" }, project().line(0, 7));
    project().submit({ job: "lost", ends: "jobdone" }, project().lineUntil("go"));
    const dispatcher = project().command("dispatcher", []);
    await project().untilRunning("lost");
    await project().until("the other jobs have ended", () => project().unended().length === 1);
    kill(worker.pid);
    project().raise("go");
    project().worker();
    await project().until("the dispatcher has ended", () => !dispatcher.isAlive);
    expect(dispatcher.exitCode, "a failed job shows in the exit code").to.equal(1);
    const told = (job: string) =>
      project()
        .ledger.filter((line) => "job" in line && line.job === job && line.event !== "started")
        .map((line) => [line.event, (line as { outcome?: object }).outcome]);
    expect(told("good")).to.deep.equal([["ended", { kind: "succeeded" }]]);
    expect(told("bad")).to.deep.equal([["ended", { kind: "failed", code: 7 }]]);
    expect(told("lost")).to.deep.include.members([
      ["lost", undefined],
      ["ended", { kind: "succeeded" }],
    ]);
    await project().closeDown();
  });
});
