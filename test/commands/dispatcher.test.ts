import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { execa } from "execa";
import { binary, type RunningCommand } from "../rig/command.js";
import { isAlive, kill } from "../rig/processes.js";
import { projectPerTest, skip } from "../rig/with-project.js";

function lines(text: string): unknown[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

describe("dispatcher", () => {
  const project = projectPerTest();

  it("prints the project it dispatches and how the jobs ended, and exits 0 when all jobs succeeded", async () => {
    for (const name of ["a", "b", "c"]) project().job(name, "true");
    await project().hire(2);
    const { exitCode, stdout, stderr } = await project().run("dispatcher");
    expect(exitCode).to.equal(0);
    expect(stderr).to.equal("");
    expect(stdout).to.contain(`[dispatcher] Started on ${project().layout.jobqueue}.\n`);
    expect(stdout).to.match(/\[dispatcher\] No more jobs: 3 succeeded, 0 failed, in [\d.]+ m?s\.\n$/);
    expect(project().ends).to.deep.equal({ done: ["a", "b", "c"], failed: [] });
  });

  it("exits 1 when some jobs failed", async () => {
    project().job("good", "true");
    project().job("bad", "exit 3");
    await project().hire(1);
    const { exitCode, stdout } = await project().run("dispatcher");
    expect(exitCode).to.equal(1);
    expect(stdout).to.contain("No more jobs: 1 succeeded, 1 failed, in ");
    expect(project().ends).to.deep.equal({ done: ["good"], failed: ["bad"] });
  });

  it("exits 1 when a file was refused, even without a worker", async () => {
    project().rename("bad.ini", "[control]\n");
    const { exitCode, stdout } = await project().run("dispatcher");
    expect(exitCode).to.equal(1);
    expect(stdout).to.contain("[dispatcher] Refused: bad.ini, line 1, section [control]");
  });

  it("counts a job that fails and then succeeds as a success", async () => {
    project().job("twice", 'test "$FJORD_ATTEMPT" = 2 || exit 1; :', { retries: "1" });
    await project().hire(1);
    const { exitCode, stdout } = await project().run("dispatcher");
    expect(exitCode).to.equal(0);
    expect(stdout).to.contain("[dispatcher] twice failed (exit code 1); attempt 2 of 2 follows.");
    expect(stdout).to.contain("No more jobs: 1 succeeded, 0 failed, in ");
  });

  it("says that no worker is on duty, and continues when workers come", async () => {
    project().job("a", "true");
    const dispatcher = project().start("dispatcher");
    await dispatcher.said("1 waiting, and no worker is on duty. Hire some: recruiter hire");
    await project().hire(1);
    const { exitCode, stdout } = await dispatcher.end;
    expect(exitCode).to.equal(0);
    expect(stdout).not.to.contain("Nothing to do yet");
  });

  it("says once, at the start, what to do when there is nothing to do", async () => {
    const dispatcher = project().start("dispatcher", ["--stay"]);
    const hint = `Nothing to do yet: drop job files into ${project().layout.jobqueue}; Ctrl-C stops.\n`;
    await dispatcher.said(`Started on ${project().layout.jobqueue}.\n[dispatcher] ${hint}`);
    project().job("a", "true");
    await dispatcher.said("1 waiting, and no worker is on duty.");
    await project().hire(1);
    await dispatcher.said("No more jobs: 1 succeeded");
    project().job("b", "true");
    await project().ended("b");
    dispatcher.kill("SIGINT");
    expect((await dispatcher.end).stdout.split(hint)).to.have.length(2);
  });

  const permutations = [
    ["create", "hire", "dispatch"],
    ["create", "dispatch", "hire"],
    ["hire", "create", "dispatch"],
    ["hire", "dispatch", "create"],
    ["dispatch", "create", "hire"],
    ["dispatch", "hire", "create"],
  ] as const;

  for (const order of permutations) {
    it(`works in any order of the steps: ${order.join(", ")}`, async () => {
      let dispatcher: RunningCommand | undefined;
      for (const step of order) {
        expect(dispatcher?.isAlive ?? true, `it has ended before "${step}"`).to.equal(true);
        if (step === "create") {
          // The first job does not end before the second one is in the queue.
          const both = path.join(project().work, "both");
          const text = `[control]\nexecutable: until test -e ${both}; do sleep 0.02; done #\n`;
          for (const name of ["a", "b"]) await project().copy(`${name}.ini`, text);
          fs.writeFileSync(both, "");
        }
        if (step === "hire") await project().hire(2);
        if (step === "dispatch") {
          dispatcher = project().start("dispatcher");
          await dispatcher.said("Started on");
        }
      }
      const end = await dispatcher?.end;
      expect(end?.stdout).to.contain("No more jobs: 2 succeeded, 0 failed, in ");
      expect(end?.exitCode).to.equal(0);
    });
  }

  it("takes jobs that arrive while it runs", async () => {
    const first = await project().remoteJob("first");
    await project().hire(1);
    const dispatcher = project().start("dispatcher");
    await first.started();
    project().job("second", "true");
    await dispatcher.said("Started on");
    first.exit(0);
    expect((await dispatcher.end).stdout).to.contain("No more jobs: 2 succeeded, 0 failed, in ");
  });

  it("continues with --stay after all jobs have ended, and counts each batch from zero", async () => {
    await project().hire(1);
    const dispatcher = project().start("dispatcher", ["--stay"]);
    project().job("a", "true");
    await dispatcher.said("No more jobs: 1 succeeded, 0 failed, in ");
    expect(dispatcher.isAlive).to.equal(true);
    project().job("b", "false");
    await dispatcher.said("No more jobs: 0 succeeded, 1 failed, in ");
    dispatcher.kill("SIGTERM");
    expect((await dispatcher.end).exitCode).to.equal(130);
  });

  it("prints one status line with --status-only, and does not become the dispatcher", async () => {
    project().job("a", "true");
    await project().hire(1);
    const { exitCode, stdout } = await project().run("dispatcher", ["--status-only"]);
    expect(exitCode).to.equal(0);
    expect(stdout).to.equal(
      "[dispatcher] 1 waiting, 0 running, 0 done, 0 failed, 1 of 1 workers free, nobody dispatches\n",
    );
    const dispatcher = project().start("dispatcher", ["--stay"]);
    await dispatcher.said("No more jobs");
    const beside = await project().run("dispatcher", ["--status-only"]);
    expect(beside.stdout).to.match(
      /0 waiting, 0 running, 1 done, 0 failed, 1 of 1 workers free, dispatched on \S+\n/,
    );
    const { stdout: json } = await project().run("dispatcher", ["--status-only", "--json"]);
    expect(JSON.parse(json)).to.include({ project: project().directory, waiting: 0, done: 1 });
  });

  it("runs the callback when all jobs have ended, with the counts in the environment", async () => {
    project().job("a", "true");
    project().job("b", "false");
    await project().hire(1);
    const told = path.join(project().work, "told");
    const { exitCode } = await project().run("dispatcher", [
      "--callback",
      `echo "$FJORD_SUCCEEDED $FJORD_FAILED $FJORD_ELAPSED $FJORD_PROJECT" >>told`,
    ]);
    expect(exitCode).to.equal(1);
    expect(fs.readFileSync(told, "utf8")).to.match(/^1 1 \d+\.\d \S+\n$/);
    expect(fs.readFileSync(told, "utf8")).to.contain(` ${project().directory}\n`);
  });

  it("stops the callback when the dispatcher is stopped", async () => {
    await project().hire(1);
    project().job("a", "true");
    const dispatcher = project().start("dispatcher", ["--callback", "echo begun; exec sleep 1000"]);
    await dispatcher.said("begun");
    dispatcher.kill("SIGTERM");
    expect(await dispatcher.end)
      .to.include({ exitCode: 0 })
      .and.property("stdout")
      .that.contains("The callback failed: SIGTERM.");
  });

  it("reports that a callback failed, and still exits with the code of the jobs", async () => {
    project().job("a", "true");
    await project().hire(1);
    const { exitCode, stdout } = await project().run("dispatcher", ["--callback", "exit 9"]);
    expect(exitCode).to.equal(0);
    expect(stdout).to.contain("[dispatcher] The callback failed: ");
  });

  it("prints its events as JSON lines with --json", async () => {
    project().job("a", "true");
    project().rename("b.ini", "nonsense");
    await project().hire(1);
    const { exitCode, stdout } = await project().run("dispatcher", ["--json"]);
    expect(exitCode).to.equal(1);
    const events = lines(stdout) as { kind: string }[];
    expect(events.map((event) => event.kind)).to.deep.equal(["started", "refused", "all-ended"]);
    expect(events[1]).to.include({ file: "b.ini" });
    expect(events[2]).to.include({ succeeded: 1, failed: 1 });
  });

  it("says how a failed job ended, in which attempt, and where its log is", async () => {
    const { layout } = project();
    project().job("bad", "exit 3", { priority: "2" });
    project().job("shot", "sh -c 'kill -SEGV $$'", { priority: "1" });
    project().job("slow", "sleep 1000 #", { timeout: "0.2 s" });
    await project().hire(1);
    const { stdout } = await project().run("dispatcher", ["--json"]);
    const failed = (lines(stdout) as { kind: string }[]).filter((event) => event.kind === "failed");
    const event = (job: string, outcome: object, attempt = 1) => ({
      kind: "failed",
      job,
      outcome,
      attempt,
      log: layout.attemptLog(job, attempt),
    });
    expect(failed).to.deep.equal([
      event("bad", { kind: "failed", code: 3 }),
      event("shot", { kind: "failed", code: 139, signal: "SIGSEGV" }),
      event("slow", { kind: "timed-out", after: 0.2 }),
    ]);
    fs.renameSync(layout.ended("jobfailed", "bad.ini"), layout.queued("bad.ini"));
    const again = await project().run("dispatcher", ["--json"]);
    expect(lines(again.stdout)).to.deep.include(event("bad", { kind: "failed", code: 3 }, 2));
    fs.renameSync(layout.ended("jobfailed", "bad.ini"), layout.queued("bad.ini"));
    const told = await project().run("dispatcher");
    expect(told.stdout).to.contain(
      `[dispatcher] bad failed (exit code 3). Output: ${layout.attemptLog("bad", 3)}\n`,
    );
  });

  it("says for each failed attempt how the attempt ended, and where its log is", async () => {
    const { layout } = project();
    project().job("again", "test $FJORD_ATTEMPT = 1 && exit 3; exec sh -c 'kill -SEGV $$' #", {
      retries: "1",
    });
    await project().hire(1);
    const { stdout } = await project().run("dispatcher", ["--json"]);
    expect(lines(stdout).slice(1, 3)).to.deep.equal([
      {
        kind: "retry",
        job: "again",
        attempt: 2,
        of: 2,
        outcome: { kind: "failed", code: 3 },
        log: layout.attemptLog("again", 1),
      },
      {
        kind: "given-up",
        job: "again",
        reason: "all 2 attempts failed (retries: 1)",
        outcome: { kind: "failed", code: 139, signal: "SIGSEGV" },
        attempt: 2,
        log: layout.attemptLog("again", 2),
      },
    ]);
  });

  it("continues when the reader of its output goes away", async () => {
    const job = await project().remoteJob("unheard");
    await project().hire(1);
    const command = `"${process.execPath}" "${binary("dispatcher")}" | head -n 1; echo "$?"`;
    const pipe = project().startProgram("bash", ["-c", `set -o pipefail; ${command}`]);
    await job.started();
    job.exit(0);
    const { stdout } = await pipe.end;
    expect(stdout).to.match(/^\[dispatcher\] Started on .*\n0\n$/);
    expect(project().ends.done).to.deep.equal(["unheard"]);
  });

  it("refuses unknown options", async () => {
    const { exitCode, stderr } = await project().run("dispatcher", ["--stya"]);
    expect(exitCode).to.equal(2);
    expect(stderr).to.contain("stya").and.to.contain("dispatcher --help");
  });
});

describe("dispatcher, when a worker is killed", () => {
  const project = projectPerTest();

  for (const [jobs, named] of [
    [["running"], ": running."],
    [["running", "a", "b"], ": running, a, b."],
    [["running", "a", "b", "c", "d"], ": running, a, b and 2 more."],
  ] as const) {
    it(`names the jobs that return to the queue, the one that ran first${named}`, async () => {
      const { layout } = project();
      const job = await project().remoteJob("running");
      const [worker = ""] = await project().hire(1);
      const dispatcher = project().start("dispatcher", ["--stay"]);
      await job.started();
      for (const name of jobs.slice(1)) {
        fs.writeFileSync(layout.onDesk(worker, `${name}.ini`), "[control]\nexecutable = true\n");
      }
      kill(project().events("hired")[0]?.pid ?? 0, "SIGKILL");
      const back = `${jobs.length} of its jobs are back in the queue${named}\n`;
      await dispatcher.said(`Lost ${worker}: its process is dead. ${back}`);
      dispatcher.kill("SIGINT");
      await dispatcher.end;
    });
  }
});

describe("dispatcher, at Ctrl-C", () => {
  const project = projectPerTest();

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`stops handing out at ${signal} and exits 130; the workers continue and no job is lost`, async () => {
      const job = await project().remoteJob("runs", { priority: "1" });
      project().job("waits", "true");
      const [worker] = await project().hire(1);
      const dispatcher = project().start("dispatcher");
      const pid = await job.started();
      dispatcher.kill(signal);
      const { exitCode, stdout } = await dispatcher.end;
      expect(exitCode).to.equal(130);
      expect(stdout).to.contain(
        "[dispatcher] Stopped handing out jobs; the workers finish the jobs that they have.\n",
      );
      expect(isAlive(pid)).to.equal(true);
      expect(project().workers).to.deep.equal([worker]);
      job.exit(0);
      await project().ended("runs");
      expect(project().files.queued).to.deep.equal(["waits.ini"]);
      expect((await project().run("dispatcher")).exitCode).to.equal(0);
      expect(project().ends).to.deep.equal({ done: ["runs", "waits"], failed: [] });
      expect(project().events("ended")).to.have.length(2);
    });
  }

  it("exits at once when there is no job yet", async () => {
    const dispatcher = project().start("dispatcher");
    await dispatcher.said("Started on");
    dispatcher.kill("SIGINT");
    expect((await dispatcher.end).exitCode).to.equal(130);
    expect(project().list(project().directory)).not.to.include("dispatcher.ini");
  });

  for (const [answer, left] of [
    ["y\r", 0],
    ["n\r", 1],
    ["\r", 1],
    ["\x03", 1],
  ] as const) {
    it(`asks on a terminal whether to fire the workers: ${JSON.stringify(answer)} leaves ${left}`, async function () {
      const { code } = await execa("script", ["--version"], { reject: false });
      if (code === "ENOENT") skip(this, "script (util-linux) is not installed, which makes the terminal");
      await project().hire(1);
      const terminal = onTerminal();
      await terminal.said("Started on");
      terminal.type("\x03");
      await terminal.said("[dispatcher] Fire the 1 workers? [y/N] ");
      terminal.type(answer);
      expect((await terminal.end).exitCode).to.equal(130);
      expect(project().workers).to.have.length(left);
    });
  }

  it("shows one line on a terminal, and overwrites the line with each change", async function () {
    const { code } = await execa("script", ["--version"], { reject: false });
    if (code === "ENOENT") skip(this, "script (util-linux) is not installed, which makes the terminal");
    const job = await project().remoteJob("shown");
    await project().hire(1);
    const terminal = onTerminal();
    await job.started();
    await terminal.said("\r\x1b[K[dispatcher] 0 waiting, 1 running, 0 done, 0 failed, 0 of 1 workers free");
    job.exit(0);
    const { exitCode, stdout } = await terminal.end;
    expect(exitCode).to.equal(0);
    expect(stdout).to.contain("\r\x1b[K[dispatcher] No more jobs: 1 succeeded");
  });

  function onTerminal(): RunningCommand {
    const command = `"${process.execPath}" "${binary("dispatcher")}"`;
    return project().startProgram("script", ["-qec", command, "/dev/null"]);
  }
});

describe("two dispatchers", () => {
  const project = projectPerTest();

  it("do not dispatch at the same time: the second stands by, and takes over when the first is killed", async () => {
    const first = await project().remoteJob("first", { priority: "1" });
    for (let n = 0; n < 5; n++) project().job(`job${n}`, "true");
    await project().hire(1);
    const one = project().start("dispatcher");
    await first.started();
    const two = project().start("dispatcher");
    await two.said(/dispatches here on \S+ since .*; standing by\./);
    expect(two.stdout).not.to.contain("Started on");
    one.kill("SIGKILL");
    await two.said("Started on");
    first.exit(0);
    const { exitCode, stdout } = await two.end;
    expect(exitCode).to.equal(0);
    expect(stdout).to.contain("No more jobs: 6 succeeded, 0 failed");
    expect(project().ends.done).to.have.length(6);
    expect(project().events("ended")).to.have.length(6);
  });

  it("pass the work on when the first is stopped", async () => {
    const job = await project().remoteJob("long");
    await project().hire(1);
    const one = project().start("dispatcher");
    await job.started();
    const two = project().start("dispatcher");
    await two.said("standing by");
    one.kill("SIGINT");
    await two.said("Started on");
    job.exit(1);
    expect((await two.end).exitCode).to.equal(1);
  });

  it("both end when the first has seen all jobs end", async () => {
    const job = await project().remoteJob("last");
    await project().hire(1);
    const one = project().start("dispatcher");
    await job.started();
    const two = project().start("dispatcher");
    await two.said("standing by");
    job.exit(0);
    expect((await one.end).exitCode).to.equal(0);
    expect((await two.end).exitCode).to.equal(0);
  });

  it("let the second one exit while it stands by", async () => {
    const one = project().start("dispatcher");
    await one.said("Started on");
    const two = project().start("dispatcher");
    await two.said("standing by");
    two.kill("SIGINT");
    const { exitCode, stdout } = await two.end;
    expect(exitCode).to.equal(130);
    expect(stdout).to.match(/standing by\.\n\[dispatcher\] Stopped standing by\.\n$/);
    expect(one.isAlive).to.equal(true);
  });

  it("leave a dispatcher lock that the next one takes at once when its owner was killed", async () => {
    const one = project().start("dispatcher");
    await one.said("Started on");
    kill(one.pid, "SIGKILL");
    await one.end;
    project().job("a", "true");
    await project().hire(1);
    const { exitCode, stdout } = await project().run("dispatcher");
    expect(exitCode).to.equal(0);
    expect(stdout).to.match(/^\[dispatcher\] Started on/);
  });
});
