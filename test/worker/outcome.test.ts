import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { isAlive } from "../rig/processes.js";
import { sized } from "../rig/sized.js";
import type { Ended } from "../rig/temporary-project.js";
import { projectPerTest, sharedProject, skip } from "../rig/with-project.js";

const MB = 1024 * 1024;

describe("the outcome of a job", () => {
  const project = sharedProject();

  before(async () => {
    await project().hire(2);
    project().start("dispatcher", ["--stay"]);
  });

  async function run(name: string, executable: string, keys: Record<string, string> = {}): Promise<Ended> {
    project().job(name, executable, keys);
    return project().ended(name);
  }

  for (const [line, outcome] of [
    ["true", { kind: "succeeded" }],
    ["exit 1", { kind: "failed", code: 1 }],
    ["sh -c 'exit 42'", { kind: "failed", code: 42 }],
    ["exit 255", { kind: "failed", code: 255 }],
    ["fjord-test-no-such-program", { kind: "failed", code: 127 }],
    ["/etc/passwd", { kind: "failed", code: 126 }],
    ["sh -c 'kill -TERM $$'", { kind: "failed", code: 143, signal: "SIGTERM" }],
    ["sh -c 'kill -KILL $$'", { kind: "failed", code: 137, signal: "SIGKILL" }],
    ["sh -c 'kill -SEGV $$'", { kind: "failed", code: 139, signal: "SIGSEGV" }],
    ["kill -TERM $$; echo survived", { kind: "failed", code: 143, signal: "SIGTERM" }],
    ["kill -SEGV $$; echo survived", { kind: "failed", code: 139, signal: "SIGSEGV" }],
    ["trap 'exit 9' INT; kill -INT $$; echo survived", { kind: "failed", code: 9 }],
    ["false; true", { kind: "succeeded" }],
  ] as const) {
    it(`is its exit code or signal: ${line}`, async () => {
      const name = `ends ${Buffer.from(line).toString("hex")}`;
      const ended = await run(name, line);
      expect(ended.outcome).to.deep.equal(outcome);
      expect(ended.to).to.equal(outcome.kind === "succeeded" ? "jobdone" : "jobfailed");
      const isKilled = "signal" in outcome && outcome.signal === "SIGKILL";
      expect(project().log(name).includes("the kernel's out-of-memory killer")).to.equal(isKilled);
    });
  }

  it("goes into the ledger with worker, host, times and attempt", async () => {
    const before = new Date().toISOString();
    const ended = await run("noted", "true");
    const after = new Date().toISOString();
    const [hired] = project()
      .events("hired")
      .filter((line) => line.worker === ended.worker);
    expect(ended).to.include({ job: "noted", attempt: 1, host: hired?.host, to: "jobdone" });
    expect([before, ended.start, ended.end, after]).to.deep.equal(
      [before, ended.start, ended.end, after].sort(),
    );
    expect(ended.seconds).to.be.greaterThan(0).and.to.be.lessThan(60);
    const [started] = project().events("started", "noted");
    expect(started).to.include({ attempt: 1, worker: ended.worker, log: "joblogs/noted.1.log" });
  });

  it("goes into the ledger with the CPU time of this job, without that of the job before", async () => {
    const burn = "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done; :";
    const burnt = await run("burns", burn);
    const cpu = (burnt.cpu?.user ?? 0) + (burnt.cpu?.system ?? 0);
    expect(cpu).to.be.greaterThan(0.05);
    expect(cpu).to.be.lessThan(burnt.seconds + 0.1);
    const idle = await run("idles", "true");
    expect((idle.cpu?.user ?? 1) + (idle.cpu?.system ?? 1)).to.be.lessThan(0.05);
  });

  it("goes into the ledger with the peak memory of the job and its children", async function () {
    if (process.platform !== "linux") skip(this, "only /proc tells a peak");
    // The job keeps its memory until the worker has measured it.
    const held = await run("holds", `sh -c '${holding(100)}'`);
    expect(held.memory).to.be.greaterThan(100 * MB);
    expect(held.memory).to.be.lessThan(400 * MB);
  });

  /**
   * Command that holds a number of megabytes for 700 ms, which is much longer than the worker takes to its
   * first look at /proc.
   */
  function holding(megabytes: number): string {
    const code = `const held = Buffer.alloc(${megabytes} * 1024 * 1024, 1); setTimeout(() => console.log(held.length), 700);`;
    return `"${process.execPath}" -e "${code}"; :`;
  }

  it("is independent of background processes, which are killed", async () => {
    const ended = await run("forks", "sleep 1000 & echo child $!; exit 5;:");
    expect(ended.outcome).to.deep.equal({ kind: "failed", code: 5 });
    const child = Number(/child (\d+)/.exec(project().log("forks"))?.[1]);
    expect(child).to.be.greaterThan(0);
    await project().gone(child);
  });

  it("is independent of children in the background that keep its output open", async () => {
    await run("mumbles", "(trap '' HUP TERM; while :; do echo x; sleep 0.05; done) & echo child $!;:");
    const child = Number(/child (\d+)/.exec(project().log("mumbles"))?.[1]);
    expect((await project().ended("mumbles")).outcome).to.deep.equal({ kind: "succeeded" });
    await project().gone(child);
  });

  it("is published once, even when the job deletes its job file", async () => {
    const ended = await run("deletes", 'rm "$FJORD_JOB_FILE"; echo gone;:');
    expect(ended.outcome).to.deep.equal({ kind: "succeeded" });
    expect(project().events("ended", "deletes")).to.have.length(1);
    expect(project().events("discarded", "deletes")).to.have.length(0);
    expect(project().ends.done.filter((job) => job === "deletes")).to.have.length(1);
    expect((await run("deletes and fails", 'rm "$FJORD_JOB_FILE"; exit 3;:')).outcome).to.include({
      code: 3,
    });
    expect(project().ends.failed).to.include("deletes and fails");
  });

  it("is published even when the job overwrites or moves its job file", async () => {
    await run("overwrites", 'echo nonsense >"$FJORD_JOB_FILE";:');
    expect(project().ends.done).to.include("overwrites");
    await run("renames", 'mv "$FJORD_JOB_FILE" "$FJORD_JOB_FILE.bak~"; exit 4;:');
    expect(project().ends.failed).to.include("renames");
  });
});

const SUICIDES: [what: string, line: string][] = [
  ["kill -9 0", "kill -9 0;:"],
  ["kill -TERM 0", "kill -TERM 0; sleep 1000;:"],
  ["kill -HUP 0", "kill -HUP 0; sleep 1000;:"],
  ["kill -9 of its parent", "sh -c 'kill -9 $PPID; sleep 1000'"],
];

describe("a job that tries to kill its worker", () => {
  const project = projectPerTest();

  for (const [what, line] of sized(SUICIDES.slice(0, 1), SUICIDES)) {
    it(`fails without harm to the worker: ${what}`, async () => {
      const [worker] = await project().hire(1);
      project().job("suicide", line, { priority: "1" });
      project().job("next", "echo fine;:");
      const { exitCode } = await project().run("dispatcher");
      expect(exitCode).to.equal(1);
      const [end] = project().events("ended", "suicide");
      expect(end?.outcome.kind).to.equal("failed");
      expect(end?.worker).to.equal(worker);
      expect(project().ends).to.deep.equal({ done: ["next"], failed: ["suicide"] });
      expect(project().workers).to.deep.equal([worker]);
      expect(project().events("worker-lost")).to.have.length(0);
    });
  }
});

describe("a job that exceeds its timeout", () => {
  const project = projectPerTest("[fjord]\ngrace = 0.3 s\n");

  it("is stopped with its whole process group, whatever signals the group ignores", async () => {
    const job = await project().remoteJob("slow", { timeout: "2 s" });
    await project().hire(1);
    const dispatcher = project().start("dispatcher");
    const pid = await job.started();
    await job.tell("trap '' TERM INT HUP");
    await job.tell("sh -c 'trap \"\" TERM; sleep 1000' & echo child $!");
    const child = Number(/child (\d+)/.exec(project().log("slow"))?.[1]);
    expect(isAlive(child)).to.equal(true);
    expect((await dispatcher.end).exitCode).to.equal(1);
    expect((await project().ended("slow")).outcome).to.deep.equal({ kind: "timed-out", after: 2 });
    expect(isAlive(pid), "the job lives on").to.equal(false);
    expect(isAlive(child), "its child lives on").to.equal(false);
    expect(project().ends.failed).to.deep.equal(["slow"]);
  });

  it("can print its last words", async () => {
    fs.writeFileSync(project().layout.settings, "[fjord]\ngrace = 20 s\n");
    project().job("polite", "trap 'echo last words; exit 0' TERM; sleep 1000 & wait;:", {
      timeout: "1.5 s",
    });
    await project().hire(1);
    await project().run("dispatcher");
    expect(project().log("polite")).to.equal("last words\nfjord: timed out after 1.5 s\n");
    expect((await project().ended("polite")).outcome.kind).to.equal("timed-out");
  });

  it("gets a line about the timeout in its log and its logfile", async () => {
    project().job("cut short", "printf half; exec sleep 1000;:", { timeout: "0.3 s", logfile: "cut.dat" });
    await project().hire(1);
    await project().run("dispatcher");
    expect(project().log("cut short")).to.equal("half\nfjord: timed out after 0.3 s\n");
    expect(fs.readFileSync(path.join(project().work, "cut.dat"), "utf8")).to.equal(
      "half\nfjord: timed out after 0.3 s\n",
    );
  });

  it("has the outcome of a timeout even when its log cannot be written", async () => {
    const log = project().layout.attemptLog("logless", 1);
    project().job("logless", `rm '${log}'; mkdir '${log}'; exec sleep 1000;:`, { timeout: "0.5 s" });
    await project().hire(1);
    expect((await project().run("dispatcher")).exitCode).to.equal(1);
    expect((await project().ended("logless")).outcome).to.deep.equal({ kind: "timed-out", after: 0.5 });
  });

  it("does not use up the time of the next job", async () => {
    project().job("a", "sleep 1000 #", { timeout: "0.3 s", priority: "2" });
    project().job("b", "true", { timeout: "1 s", priority: "1" });
    project().job("c", "sleep 1.3;:");
    await project().hire(1);
    await project().run("dispatcher");
    expect(project().ends).to.deep.equal({ done: ["b", "c"], failed: ["a"] });
  });
});

describe("a job that fails", () => {
  const project = projectPerTest("[fjord]\nretry_backoff = 0.4 s\npoll = 0.2 s\n");

  it("is tried again as often as its retries allow, later each time, and then has failed", async () => {
    project().job("fails", "echo try $FJORD_ATTEMPT; exit 7;:", { retries: "2" });
    await project().hire(1);
    const { exitCode, stdout } = await project().run("dispatcher");
    expect(exitCode).to.equal(1);
    const printed = (n: number) => `Output: ${project().layout.attemptLog("fails", n)}\n`;
    expect(stdout).to.contain(`fails failed (exit code 7); attempt 2 of 3 follows. ${printed(1)}`);
    expect(stdout).to.contain(`fails failed (exit code 7); attempt 3 of 3 follows. ${printed(2)}`);
    expect(stdout).to.contain(
      `fails given up (exit code 7): all 3 attempts failed (retries: 2). ${printed(3)}`,
    );
    expect(stdout).to.contain("No more jobs: 0 succeeded, 1 failed");
    const ends = project().events("ended", "fails");
    expect(ends.map((end) => [end.attempt, end.to])).to.deep.equal([
      [1, "retry"],
      [2, "retry"],
      [3, "retry"],
    ]);
    expect(
      project()
        .events("retry", "fails")
        .map((line) => line.to),
    ).to.deep.equal(["jobqueue", "jobqueue", "jobfailed"]);
    const [first, second, third] = ends.map((end) => ({
      start: Date.parse(end.start),
      end: Date.parse(end.end),
    }));
    expect((second?.start ?? 0) - (first?.end ?? 0)).to.be.at.least(395);
    expect((third?.start ?? 0) - (second?.end ?? 0)).to.be.at.least(795);
    expect(project().ends).to.deep.equal({ done: [], failed: ["fails"] });
    for (const n of [1, 2, 3]) expect(project().log("fails", n)).to.equal(`try ${n}\n`);
  });

  it("has succeeded when an attempt succeeds", async () => {
    project().job("flaky", "test $FJORD_ATTEMPT = 2 || exit 1;:", { retries: "5" });
    await project().hire(1);
    expect((await project().run("dispatcher")).exitCode).to.equal(0);
    expect(
      project()
        .events("ended", "flaky")
        .map((end) => end.outcome.kind),
    ).to.deep.equal(["failed", "succeeded"]);
    expect(project().ends).to.deep.equal({ done: ["flaky"], failed: [] });
  });

  it("is tried again after a timeout, too", async () => {
    project().job("late", "test $FJORD_ATTEMPT = 2 || exec sleep 1000;:", { retries: "1", timeout: "0.5 s" });
    await project().hire(1);
    expect((await project().run("dispatcher")).exitCode).to.equal(0);
    expect(
      project()
        .events("ended", "late")
        .map((end) => end.outcome.kind),
    ).to.deep.equal(["timed-out", "succeeded"]);
  });

  it("does not delay other jobs while it waits for its next attempt", async () => {
    project().job("fails", "exit 1;:", { retries: "2", priority: "5" });
    project().job("other", "true");
    await project().hire(1);
    await project().run("dispatcher");
    const order = project()
      .events("started")
      .map((line) => line.job);
    expect(order).to.deep.equal(["fails", "other", "fails", "fails"]);
  });

  it("keeps the log of every attempt when a job with the same name comes again", async () => {
    await project().hire(1);
    for (const n of [1, 2]) {
      project().job("again", `echo life ${n};:`);
      expect((await project().run("dispatcher")).exitCode).to.equal(0);
    }
    expect(project().log("again", 1)).to.equal("life 1\n");
    expect(project().log("again", 2)).to.equal("life 2\n");
    project().job("again", "exit 1;:", { retries: "1" });
    expect((await project().run("dispatcher")).exitCode).to.equal(1);
    expect(
      project()
        .events("ended", "again")
        .map((end) => end.attempt),
    ).to.deep.equal([1, 2, 3, 4]);
  });
});

describe("the order of jobs", () => {
  const project = projectPerTest();

  it("is by priority, then by age", async () => {
    // The age is the modification time. An order by name would be the opposite.
    const jobs: [name: string, priority: string, age: number][] = [
      ["z oldest", "0", 500],
      ["y", "0", 400],
      ["x", "0", 300],
      ["w high", "10", 100],
      ["v highest", "11", 50],
      ["u low", "-3", 900],
      ["t high", "10", 50],
    ];
    for (const [name, priority, age] of [...jobs].reverse()) {
      project().rename(`${name}.ini`, `[control]\nexecutable = true\npriority = ${priority}\n`);
      await project().startProgram("touch", ["-d", `-${age} seconds`, project().layout.queued(`${name}.ini`)])
        .end;
    }
    await project().hire(1);
    expect((await project().run("dispatcher")).exitCode).to.equal(0);
    expect(
      project()
        .events("started")
        .map((line) => line.job),
    ).to.deep.equal(["v highest", "w high", "t high", "z oldest", "y", "x", "u low"]);
  });

  it("puts an urgent job before jobs that already wait", async () => {
    const first = await project().remoteJob("first");
    await project().hire(1);
    const dispatcher = project().start("dispatcher");
    await first.started();
    project().job("patient", "true");
    project().job("urgent", "true", { priority: "1" });
    first.exit(0);
    await dispatcher.end;
    expect(
      project()
        .events("started")
        .map((line) => line.job),
    ).to.deep.equal(["first", "urgent", "patient"]);
  });
});
