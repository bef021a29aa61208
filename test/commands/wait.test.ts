import { expect } from "chai";
import type { WaitResult } from "../../src/compose/wait.js";
import { projectPerTest } from "../rig/with-project.js";

describe("fjord wait", () => {
  const project = projectPerTest();
  const wait = (...args: string[]) => project().run("fjord", ["wait", ...args]);

  it("ends with 0 when all succeeded, also those that had ended before", async () => {
    const job = await project().remoteJob("b");
    project().job("a", "true");
    await project().hire(2);
    project().start("dispatcher");
    const waiting = project().start("fjord", ["wait", "a", "b"]);
    await project().ended("a");
    await job.started();
    expect(waiting.hasEnded).to.equal(false);
    job.exit(0);
    expect(await waiting.end).to.include({
      exitCode: 0,
      stdout: "[fjord] 2 jobs ended: 2 succeeded, 0 did not.\n",
    });
    expect(await wait("a")).to.include({ exitCode: 0 });
    expect(await wait()).to.include({ exitCode: 0, stdout: "[fjord] Nothing waits or runs.\n" });
  });

  it("ends with 1 when some did not, and tells how the first of them ended", async () => {
    for (let n = 1; n <= 6; n++) project().job(`bad${n}`, `exit ${n}`);
    project().job("good", "true", { retries: "1" });
    project().rename("refused.ini", "[control]\n");
    const waiting = project().start("fjord", ["wait"]);
    await project().hire(1);
    await project().run("dispatcher");
    const { exitCode } = await waiting.end;
    expect(exitCode).to.equal(1);
    const again = await wait("bad*", "refused");
    expect(again.exitCode).to.equal(1);
    expect(again.stdout).to.equal(
      "[fjord] 7 jobs ended: 0 succeeded, 7 did not.\n" +
        [1, 2, 3, 4, 5].map((n) => `[fjord] bad${n}: exit code ${n}\n`).join("") +
        "[fjord] … and 2 more: fjord list --state failed\n",
    );
    expect((await wait("refused")).stdout).to.contain("[fjord] refused: refused.ini, line 1");
  });

  it("names a list that has those that did not succeed, whatever their states", async () => {
    for (let n = 1; n <= 6; n++) project().job(`run${n}`, "true");
    await project().run("fjord", ["cancel", "run*"]);
    expect((await wait("run*")).stdout).to.match(/\n.*… and 1 more: fjord list --state cancelled\n$/);
    await project().hire(1);
    project().job("run0", "false");
    await project().run("dispatcher");
    const { stdout } = await wait("run*", "--project", "test");
    expect(stdout).to.match(/… and 2 more: fjord list --state failed,cancelled --project test\n$/);
    const listed = await project().run("fjord", ["list", "--state", "failed,cancelled", "--json"]);
    expect(JSON.parse(listed.stdout)).to.have.length(7);
  });

  it("waits for the attempts that are left", async () => {
    const job = await project().remoteJob("a", { retries: "1" });
    await project().hire(1);
    project().start("dispatcher");
    const waiting = project().start("fjord", ["wait", "a"]);
    await job.started();
    job.exit(1);
    await job.started(2);
    expect(waiting.hasEnded).to.equal(false);
    job.exit(0);
    expect((await waiting.end).exitCode).to.equal(0);
  });

  it("ends with 2 when the time is over", async () => {
    project().job("a", "true");
    const { exitCode, stdout } = await wait("a", "--timeout", "50ms");
    expect(exitCode).to.equal(2);
    expect(stdout).to.equal("[fjord] 0 jobs ended: 0 succeeded, 0 did not.\n[fjord] Not ended: a.\n");
    const { stdout: json } = await wait("--timeout", "0", "--json");
    expect(JSON.parse(json) as WaitResult).to.deep.equal({ end: "timeout", ended: [], pending: ["a"] });
    expect(await wait("a", "--timeout", "soon")).to.include({ exitCode: 2, stdout: "" });
  });

  for (const verb of [["wait"], ["log", "-f"]]) {
    it(`fjord ${verb.join(" ")} says once that nobody is at work, and waits on`, async () => {
      project().job("a", "true");
      const waiting = project().start("fjord", [...verb, "a", "--project", "test"]);
      await project().until("it has said so", () => waiting.stderr.includes("Nobody dispatches"));
      await project().hire(1);
      expect((await project().run("dispatcher")).exitCode).to.equal(0);
      expect(await waiting.end).to.include({
        exitCode: 0,
        stderr:
          "[fjord] No worker is on duty: recruiter hire --project test\n" +
          "[fjord] Nobody dispatches: dispatcher --project test\n",
      });
    });
  }

  it("says that a job is held, and waits on", async () => {
    project().job("h", "true");
    await project().run("fjord", ["hold", "h"]);
    const waiting = project().start("fjord", ["wait", "h", "--project", "test"]);
    const words = "[fjord] Held back, until they are released: h: fjord release JOB… --project test\n";
    await project().until("it has said so", () => waiting.stderr.includes(words));
    await project().run("fjord", ["cancel", "h"]);
    expect((await waiting.end).exitCode).to.equal(1);
  });

  it("tells of a job that was withdrawn meanwhile", async () => {
    project().job("a", "true");
    const waiting = project().start("fjord", ["wait", "a", "--json"]);
    await project().until("it has looked once", async () => {
      const { exitCode } = await wait("a", "--timeout", "0");
      return exitCode === 2;
    });
    await project().startProgram("rm", [project().layout.queued("a.ini")]).end;
    const { exitCode, stdout } = await waiting.end;
    // It may have been quick enough to find no such job from the start.
    if (exitCode === 1) {
      expect(JSON.parse(stdout)).to.deep.equal({
        end: "all-ended",
        ended: [{ job: "a", state: "gone" }],
        pending: [],
      });
    } else expect(exitCode).to.equal(3);
  });

  it("ends with 130 after Ctrl-C", async () => {
    project().job("a", "true");
    const waiting = project().start("fjord", ["wait", "--timeout", "1h"]);
    waiting.kill("SIGINT");
    const { exitCode, signal } = await waiting.end;
    // Before it listens, the signal itself ends it: for a shell that is the same.
    expect(exitCode ?? signal).to.be.oneOf([130, "SIGINT"]);
  });
});
