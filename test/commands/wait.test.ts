import fs from "node:fs";
import { expect } from "chai";
import type { WaitResult } from "../../src/jobs/wait.js";
import { Project } from "../../src/library/project.js";
import { binary, type CommandName } from "../rig/command.js";
import { kill } from "../rig/processes.js";
import { projectPerTest } from "../rig/with-project.js";

describe("fjord wait", () => {
  const project = projectPerTest();
  const wait = (...args: string[]) => project().run("fjord", ["wait", ...args]);

  it("exits 0 when all jobs succeeded, including those that had ended before", async () => {
    const job = await project().remoteJob("b");
    project().job("a", "true");
    await project().hire(2);
    project().start("dispatcher");
    const waiting = project().start("fjord", ["wait", "a", "b"]);
    await project().ended("a");
    await job.started();
    expect(waiting.isAlive).to.equal(true);
    job.exit(0);
    expect(await waiting.end).to.include({
      exitCode: 0,
      stdout: "[fjord] 2 jobs ended: 2 succeeded, 0 did not.\n",
    });
    expect(await wait("a")).to.include({ exitCode: 0 });
    expect(await wait()).to.include({ exitCode: 0, stdout: "[fjord] Nothing waits or runs.\n" });
  });

  it("exits 1 when some jobs did not succeed, and says how the first of them ended", async () => {
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

  it("names the list command that shows the jobs that did not succeed, whatever their states", async () => {
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

  it("waits for the remaining attempts", async () => {
    const job = await project().remoteJob("a", { retries: "1" });
    await project().hire(1);
    project().start("dispatcher");
    const waiting = project().start("fjord", ["wait", "a"]);
    await job.started();
    job.exit(1);
    await job.started(2);
    expect(waiting.isAlive).to.equal(true);
    job.exit(0);
    expect((await waiting.end).exitCode).to.equal(0);
  });

  it("exits 2 when the timeout is over", async () => {
    project().job("a", "true");
    const { exitCode, stdout } = await wait("a", "--timeout", "50ms");
    expect(exitCode).to.equal(2);
    expect(stdout).to.equal("[fjord] 0 jobs ended: 0 succeeded, 0 did not.\n[fjord] Not ended: a.\n");
    const { stdout: json } = await wait("--timeout", "0", "--json");
    expect(JSON.parse(json) as WaitResult).to.deep.equal({ end: "timeout", ended: [], pending: ["a"] });
    expect(await wait("a", "--timeout", "soon")).to.include({ exitCode: 2, stdout: "" });
  });

  it("says once that no worker is on duty, and continues to wait", async () => {
    project().job("a", "true");
    const waiting = project().start("fjord", ["wait", "a", "--project", "test"]);
    await project().until("fjord wait has said so", () => waiting.stderr.includes("Nobody dispatches"));
    await project().hire(1);
    expect((await project().run("dispatcher")).exitCode).to.equal(0);
    const { exitCode, stderr } = await waiting.end;
    expect(exitCode).to.equal(0);
    const lacks =
      "[fjord] No worker is on duty: recruiter hire --project test\n" +
      "[fjord] Nobody dispatches: dispatcher --project test\n";
    // At the next look, workers may have come, or the job may have ended.
    const ends = /^(\[fjord\] A worker is on duty now\.\n)?(\[fjord\] A dispatcher is at work now\.\n)?$/;
    expect(stderr.startsWith(lacks)).to.equal(true);
    expect(stderr.slice(lacks.length)).to.match(ends);
  });

  it("includes jobs that match a pattern and come later, and so does fjord log -f", async () => {
    const first = await project().remoteJob("fa1");
    await project().hire(2);
    project().start("dispatcher", ["--stay"]);
    const waiting = project().start("fjord", ["wait", "fa*", "--json"]);
    const follower = project().start("fjord", ["log", "-f", "fa*"]);
    await first.started();
    await first.tell("echo one");
    await follower.said("fa1 | one\n");
    project().job("other", "echo other");
    project().job("fa2", "echo two; exit 3;:");
    await follower.said("fa2 | two\n");
    project().rename("fa3.ini", "[control]\nexecutable = echo {index} #\n[array]\nrange = 1-20\n");
    await follower.said("fa3_20 | 20\n");
    first.exit(0);
    const { exitCode, stdout } = await waiting.end;
    expect(exitCode).to.equal(1);
    const { end, ended } = JSON.parse(stdout) as WaitResult;
    const elements = Array.from({ length: 20 }, (_, i) => `fa3_${i + 1}`);
    expect(end).to.equal("all-ended");
    expect(ended.map(({ job }) => job)).to.have.members(["fa1", "fa2", ...elements]);
    const followed = await follower.end;
    expect(followed.exitCode).to.equal(0);
    expect(followed.stdout.trim().split("\n")).to.have.length(22);
    expect(followed.stdout).not.to.contain("other");
  });

  it("says that a job is held, and continues to wait", async () => {
    project().job("h", "true");
    await project().run("fjord", ["hold", "h"]);
    const waiting = project().start("fjord", ["wait", "h", "--project", "test"]);
    const words = "[fjord] Held until they are released: h: fjord release JOB… --project test\n";
    await project().until("fjord wait has said so", () => waiting.stderr.includes(words));
    await project().run("fjord", ["cancel", "h"]);
    expect((await waiting.end).exitCode).to.equal(1);
  });

  it("reports a job that was removed during the wait", async () => {
    project().job("a", "true");
    const waiting = project().start("fjord", ["wait", "a", "--json"]);
    await project().until("fjord wait has looked once", async () => {
      const { exitCode } = await wait("a", "--timeout", "0");
      return exitCode === 2;
    });
    await project().startProgram("rm", [project().layout.queued("a.ini")]).end;
    const { exitCode, stdout } = await waiting.end;
    // If rm was faster than fjord wait, the job did not exist when the wait began.
    if (exitCode === 1) {
      expect(JSON.parse(stdout)).to.deep.equal({
        end: "all-ended",
        ended: [{ job: "a", state: "gone" }],
        pending: [],
      });
    } else expect(exitCode).to.equal(3);
  });

  it("exits 130 after Ctrl-C", async () => {
    project().job("a", "true");
    const waiting = project().start("fjord", ["wait", "--timeout", "1h"]);
    waiting.kill("SIGINT");
    const { exitCode, signal } = await waiting.end;
    // Before fjord installs its handler, the signal itself ends the process. For a shell both cases are the
    // same.
    expect(exitCode ?? signal).to.be.oneOf([130, "SIGINT"]);
  });
});

describe("a long wait", () => {
  const project = projectPerTest("[fjord]\nbeat = 0.2 s\npoll = 0.2 s\n");

  it("reports when the last worker or the dispatcher goes, and when one is there again", async () => {
    const job = await project().remoteJob("l");
    await project().hire(1);
    const dispatcher = project().start("dispatcher");
    await job.started();
    const waiting = [["wait"], ["log", "-f"]].map((verb) => project().start("fjord", [...verb, "l"]));
    let told = "";
    const next = (line: string) => {
      told += `[fjord] ${line}\n`;
      return project().until(`both commands print: ${line}`, () =>
        waiting.every(({ stderr }) => stderr === told),
      );
    };
    const [worker] = await (await Project.open(project().directory)).workers();
    kill(worker?.process.pid ?? 0, "SIGKILL");
    await next("No worker is on duty: recruiter hire");
    await project().hire(1);
    await next("A worker is on duty now.");
    await job.started(2);
    dispatcher.kill("SIGKILL");
    await next("Nobody dispatches: dispatcher");
    job.exit(0);
    for (const one of waiting) expect((await one.end).exitCode).to.equal(0);
  });
});

describe("a wait in a job", () => {
  const project = projectPerTest();

  it("omits that job however the job is named, and says when no other worker is on duty", async () => {
    const lines = [
      ...["wait", "wait me", "wait 'm*' --json", "log -f me", "log me", "log -f 'm*' | cat"],
      "submit --name later --after me --wait -- true || echo refused",
      "submit --name other --wait -- true",
    ];
    const typed = (name: CommandName, line: string) => `'${process.execPath}' '${binary(name)}' ${line}`;
    const all = [
      ...lines.map((line) => typed("fjord", line)),
      typed("recruiter", '--project "$FJORD_PROJECT" fire --wait "$FJORD_WORKER"'),
      `exec ${typed("dispatcher", ">/dev/null")}`,
    ];
    project().job("me", `${all.join("; ")} #`);
    const [own] = await project().hire(1);
    project().start("dispatcher");
    const log = project().layout.attemptLog("me", 1);
    await project().until(
      "fjord wait has said so",
      () => fs.existsSync(log) && project().log("me").includes("hire\n"),
    );
    await project().hire(1);
    await project().until("the dispatcher of the job waits", () =>
      project().log("me").endsWith("is stopped.\n"),
    );
    const runsIn = "[fjord] me is left out: this command runs in that job.\n";
    const printsInto = "[fjord] me is left out: this command prints into its log.\n";
    const nothing = "[fjord] Nothing else waits or runs.\n";
    expect(project().log("me").replace("[fjord] Another worker is on duty now.\n", "")).to.equal(
      `${runsIn}${nothing}${runsIn}${nothing}${runsIn}{"end":"all-ended","ended":[],"pending":[]}\n` +
        `${printsInto}${printsInto}${runsIn}` +
        "[fjord] later runs after me, in which this command runs, so --wait would never end.\n" +
        "[fjord] Leave --wait out, or --after.\nrefused\n" +
        "[fjord] Submitted other.\n[fjord] Runs: true\n" +
        "[fjord] No other worker than that of this job is on duty: recruiter hire\n" +
        "[fjord] 1 job ended: 1 succeeded, 0 did not.\n" +
        `[recruiter] Fired 1 worker in project "${project().directory}".\n` +
        `[recruiter] ${own} finishes me, then goes.\n` +
        "[dispatcher] This dispatcher runs in the job me, and waits for that job, too: it ends only when it is stopped.\n",
    );
    await project().run("fjord", ["cancel", "me"]);
  });
});
