import fs from "node:fs";
import { expect } from "chai";
import type { JobRecord } from "../../src/jobs/record.js";
import type { AttemptRecord } from "../../src/ledger/attempts.js";
import { Project } from "../../src/library/project.js";
import { binary } from "../rig/command.js";
import { processesWith } from "../rig/processes.js";
import { projectPerTest, sharedProject } from "../rig/with-project.js";

/** The first column of a table, without its heading. */
function firstColumn(stdout: string): string[] {
  return stdout
    .split("\n")
    .slice(1, -1)
    .map((line) => line.split(/ {2,}/, 1)[0] ?? "");
}

describe("commands that show what has happened", () => {
  const project = sharedProject();
  const fjord = (...args: string[]) => project().run("fjord", args);
  const rows = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await fjord(...args);
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: "" });
    return firstColumn(stdout);
  };

  before(async () => {
    const jobs: [name: string, line: string, keys?: Record<string, string>][] = [
      ["run1", "echo one"],
      ["run2", "echo two; exit 3"],
      ["run10", "echo $FJORD_ATTEMPT; test $FJORD_ATTEMPT = 2 || exit 4; :", { retries: "1" }],
      ["killed", "kill -KILL $$; :"],
      ["slow", "sleep 60 #", { timeout: "0.3 s" }],
      ['a b, "c"', "printf 'no end'; :"],
    ];
    for (const [name, line, keys] of jobs) project().job(name, line, keys);
    project().rename("bad.ini", "[control]\nexecutabel = x\n");
    await project().hire(1);
    expect((await project().run("dispatcher")).exitCode).to.equal(1);
    project().job("waits", "true");
  });

  describe("fjord list", () => {
    it("lists all jobs, sorts numbers by value, and shows how the last attempts ended", async () => {
      const { stdout } = await fjord("list");
      const table = stdout.split("\n").map((line) => line.split(/ {2,}/));
      expect(table[0]).to.deep.equal(["JOB", "STATE", "ATTEMPTS", "OUTCOME", "STARTED", "TOOK", "HOST"]);
      expect(
        table.slice(1, -1).map(([job, state, attempts, outcome]) => [job, state, attempts, outcome]),
      ).to.deep.equal([
        ['a b, "c"', "done", "1", "succeeded"],
        ["bad", "failed", "refused", undefined],
        ["killed", "failed", "1", "killed by SIGKILL"],
        ["run1", "done", "1", "succeeded"],
        ["run2", "failed", "1", "exit code 3"],
        ["run10", "done", "2", "succeeded"],
        ["slow", "failed", "1", "timed out after 0.3 s"],
        ["waits", "waiting", undefined, undefined],
      ]);
      expect(stdout).not.to.match(/ $/m);
    });

    const questions: [args: string[], ...jobs: string[]][] = [
      [["run*"], "run1", "run2", "run10"],
      [["run{2..1}"], "run2", "run1"],
      [["--state", "failed", "run2", "run1"], "run2"],
      [["--state", "waiting,done", "--state", "running"], 'a b, "c"', "run1", "run10", "waits"],
      [["--where", "exit = 3"], "run2"],
      [["--where", "exit = 0", "--where", "attempt > 1"], "run10"],
      [["--where", "outcome = timed-out", "slow", "run1"], "slow"],
      [["--where", "signal = SIGKILL"], "killed"],
      [["--where", "duration < 0.3 s", "slow", "run1"], "run1"],
    ];
    for (const [args, ...jobs] of questions) {
      it(args.join(" "), async () => expect(await rows("list", ...args)).to.deep.equal(jobs));
    }

    it("says when there are no jobs", async () => {
      expect((await fjord("list", "--state", "running")).stdout).to.equal("No jobs.\n");
    });

    it("prints with --json the records that show --json prints", async () => {
      const { stdout } = await fjord("list", "--json", "run10", "bad", "waits");
      expect(stdout).to.equal((await fjord("show", "--json", "run10", "bad", "waits")).stdout);
      const [run10, bad, waits] = JSON.parse(stdout) as JobRecord[];
      const { layout } = project();
      expect(run10).to.include({ job: "run10", file: "run10.ini", state: "done" });
      expect(run10?.path).to.equal(layout.ended("jobdone", "run10.ini"));
      expect(run10?.attempts.map(({ attempt, outcome, to }) => [attempt, outcome, to])).to.deep.equal([
        [1, { kind: "failed", code: 4 }, "retry"],
        [2, { kind: "succeeded" }, "jobdone"],
      ]);
      expect(run10?.attempts[1]).to.include({ job: "run10", log: layout.attemptLog("run10", 2) });
      expect(run10?.attempts[1]).to.include.keys(
        "worker",
        "host",
        "start",
        "end",
        "seconds",
        "cpu",
        "memory",
      );
      expect(bad).to.include({ state: "failed" }).and.to.have.property("refused").that.contains("executabel");
      expect(waits).to.deep.equal({
        job: "waits",
        file: "waits.ini",
        state: "waiting",
        path: layout.queued("waits.ini"),
        attempts: [],
      });
    });
  });

  describe("fjord show", () => {
    it("prints state, file, attempts, log and the text of the file", async () => {
      const { stdout } = await fjord("show", "run10");
      expect(stdout).to.match(
        /^run10: done\nfile: .*\/jobdone\/run10.ini\ndirectory: .*\/work\n\nATTEMPT +OUTCOME +STARTED +TOOK +CPU +MEMORY +WORKER\n1 +exit code 4 .*\n2 +succeeded .*\nlog: .*\/run10.2.log\n\n {2}\[control\]\n {2}executable = echo/,
      );
    });

    it("prints the directory in which a job will run, as far as fjord knows it", async () => {
      const { work, layout } = project();
      const directoryOf = async (job: string) =>
        /^directory: (.*)$/m.exec((await fjord("show", job)).stdout)?.[1];
      expect(await directoryOf("waits")).to.equal(work);
      expect(await directoryOf("bad")).to.equal(undefined);
      const held = (workdir: string) =>
        fs.writeFileSync(layout.held("held.ini"), `[control]\nexecutable = true\nworkdir = ${workdir}\n`);
      held("below");
      expect(await directoryOf("held")).to.equal(`${work}/below`);
      held("/tmp");
      expect(await directoryOf("held")).to.equal("/tmp");
      const elsewhere = await project().run("recruiter", ["hire", "1", "--json"], { cwd: project().root });
      const [{ worker }] = JSON.parse(elsewhere.stdout);
      expect(await directoryOf("waits")).to.equal("where its worker was hired");
      expect(await directoryOf("run10")).to.equal(work);
      await project().run("recruiter", ["fire", "--wait", worker.worker]);
      fs.unlinkSync(layout.held("held.ini"));
    });

    it("says why a file was refused", async () => {
      expect((await fjord("show", "bad")).stdout).to.contain(
        'refused: bad.ini, line 2, section [control], key "executabel"',
      );
    });

    it("prints several jobs with a blank line between them", async () => {
      expect((await fjord("show", "waits", "run1")).stdout).to.match(/^waits: waiting\n.*\n\nrun1: done\n/s);
    });
  });

  describe("fjord log", () => {
    it("prints the output of the last attempt, or of another one, unchanged", async () => {
      expect((await fjord("log", 'a b, "c"')).stdout).to.equal("no end");
      expect((await fjord("log", "run10")).stdout).to.match(/^2$/m);
      expect((await fjord("log", "run10", "--attempt", "1")).stdout).to.match(/^1\n$/);
    });

    it("prints only the last lines, as tail does", async () => {
      const log = project().layout.attemptLog("run1", 1);
      const whole = fs.readFileSync(log);
      fs.writeFileSync(log, "one\n\nthree");
      expect((await fjord("log", "run1", "-n", "2")).stdout).to.equal("\nthree");
      fs.writeFileSync(log, "one\ntwo\n");
      expect((await fjord("log", "run1", "run2", "--lines", "1")).stdout).to.match(
        /^run1 \| two\nrun2 \| .*\n$/,
      );
      fs.writeFileSync(log, whole);
    });

    it("prints the output of several jobs with their names, and says which jobs have none", async () => {
      const { exitCode, stdout, stderr } = await fjord("log", "run2", "bad", "waits", 'a b, "c"', "run1");
      expect(exitCode).to.equal(0);
      expect(stdout).to.match(/^run2 \| two\na b, "c" \| no end\nrun1 \| one .*\n$/);
      expect(stderr).to.match(
        /^\[fjord\] bad was refused: .*executabel.*\n\[fjord\] waits has not begun yet\.\n$/,
      );
    });

    it("reports many jobs that have not begun in one line", async () => {
      const more = Array.from({ length: 7 }, (_, i) => `later${i + 1}`);
      for (const job of more) project().job(job, "true");
      const { stdout, stderr } = await fjord("log", "run1", "later*");
      expect(stdout).to.match(/^run1 \| /);
      expect(stderr).to.equal(
        "[fjord] 7 jobs have not begun yet: later1, later2, later3, later4, later5 and 2 more.\n",
      );
      for (const job of more) fs.rmSync(project().layout.queued(`${job}.ini`));
    });

    it("says which log was removed, even when the ledgers have been pruned", async () => {
      const { layout } = project();
      const log = layout.attemptLog("run1", 1);
      const whole = fs.readFileSync(log);
      fs.rmSync(log);
      const removed = `[fjord] The log of run1 has been removed: ${log}\n`;
      const hint = "[fjord] fjord show JOB shows the job's state.\n";
      const refused = { exitCode: 2, stdout: "", stderr: removed + hint };
      expect(await fjord("log", "run1")).to.deep.include(refused);
      expect(await fjord("log", "-f", "run1")).to.deep.include(refused);
      expect(await fjord("log", "run1", "run2")).to.deep.include({ exitCode: 0, stderr: removed });
      fs.renameSync(layout.ledger, `${layout.ledger}.away`);
      expect(await fjord("log", "run1")).to.deep.include(refused);
      fs.rmSync(layout.ledger, { recursive: true, force: true });
      fs.renameSync(`${layout.ledger}.away`, layout.ledger);
      fs.writeFileSync(log, whole);
    });

    const nothing: [args: string[], says: string][] = [
      [["waits"], "waits has not begun yet."],
      [["bad"], "bad was refused: "],
      [["run1", "--attempt", "2"], "run1 has no attempt 2."],
    ];
    for (const [args, says] of nothing) {
      it(`is refused when there is nothing to print: ${args.join(" ")}`, async () => {
        const { exitCode, stdout, stderr } = await fjord("log", ...args);
        expect({ exitCode, stdout }).to.deep.equal({ exitCode: 3, stdout: "" });
        expect(stderr).to.contain(says);
      });
    }
  });

  describe("fjord history", () => {
    it("lists all attempts in the order of time", async () => {
      const { stdout } = await fjord("history", "run{1,2,10}");
      const table = stdout.split("\n").map((line) => line.split(/ {2,}/));
      expect(table[0]).to.deep.equal([
        "STARTED",
        "JOB",
        "ATTEMPT",
        "OUTCOME",
        "TOOK",
        "CPU",
        "MEMORY",
        "WORKER",
      ]);
      expect(table.slice(1, -1).map(([, job, attempt]) => `${job} ${attempt}`)).to.have.members([
        "run1 1",
        "run2 1",
        "run10 1",
        "run10 2",
      ]);
      const times = firstColumn(stdout);
      expect(times).to.deep.equal([...times].sort());
    });

    it("prints CSV for a spreadsheet with --csv", async () => {
      const { stdout } = await fjord("history", "--csv", 'a b, "c"', "killed");
      const [head, ...lines] = stdout.split("\r\n");
      expect(head).to.equal(
        "job,attempt,outcome,exit,signal,start,end,seconds,cpu_user,cpu_system,memory,host,worker,log,run,life",
      );
      expect(lines.sort()[1]).to.match(/^"a b, ""c""",1,succeeded,0,,20/);
      expect(lines[2]).to.match(/^killed,1,failed,137,SIGKILL,20/);
    });

    it("prints one line per attempt with --json", async () => {
      const { stdout } = await fjord("history", "--json", "run10");
      const lines = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as AttemptRecord);
      expect(lines.map(({ job, attempt }) => [job, attempt])).to.deep.equal([
        ["run10", 1],
        ["run10", 2],
      ]);
    });

    it("includes jobs whose files are gone, and omits jobs that have not begun", async () => {
      fs.renameSync(project().layout.ended("jobfailed", "slow.ini"), `${project().work}/slow.ini`);
      expect((await fjord("history", "slow", "waits")).stdout).to.contain("timed out after 0.3 s");
      fs.renameSync(`${project().work}/slow.ini`, project().layout.ended("jobfailed", "slow.ini"));
      expect((await fjord("history", "waits")).stdout).to.equal("No attempts yet.\n");
    });
  });

  describe("an unknown job", () => {
    for (const verb of ["list", "show", "log", "history", "wait", "retry"]) {
      it(`is refused by fjord ${verb}, which suggests a similar name`, async () => {
        const { exitCode, stdout, stderr } = await fjord(verb, "wiats");
        expect({ exitCode, stdout }).to.deep.equal({ exitCode: 3, stdout: "" });
        expect(stderr).to.equal('[fjord] There is no job "wiats".\n[fjord] Did you mean "waits"?\n');
        const none = await fjord(verb, "waits", "x*");
        expect({ exitCode: none.exitCode, stdout: none.stdout }).to.deep.equal({ exitCode: 3, stdout: "" });
        expect(none.stderr).to.contain('No job matches "x*".');
      });
    }
  });

  it("is found when its name lacks the ending of a script, or has a superfluous one", async () => {
    project().rename("hello.sh", "#!/bin/sh\n", 0o755);
    for (const [said, meant] of [
      ["hello", "hello.sh"],
      ["waits.sh", "waits"],
    ] as const) {
      const { exitCode, stderr } = await fjord("show", said);
      expect({ exitCode, stderr }).to.deep.equal({
        exitCode: 3,
        stderr: `[fjord] There is no job "${said}".\n[fjord] Did you mean "${meant}"?\n`,
      });
    }
    fs.unlinkSync(project().layout.queued("hello.sh"));
  });

  const misuses: [args: string[], says: string][] = [
    [["list", "--state", "faild"], '--state: found "faild".'],
    [["list", "--where", "length > 1"], "the fields are duration, cpu,"],
    [["list", "--where", "duration > long"], '"long" is not a valid duration.'],
    [["list", "r{1..9999999}"], "more than 1000000 names"],
    [["history", "r{1..9999999}"], "more than 1000000 names"],
    [["history", "--csv", "--json"], "Use either --csv or --json."],
    [["results", "--csv", "--json"], "Use either --csv or --json."],
    [["show"], "Say which jobs."],
    [["log"], "Say which jobs."],
    [["log", "run1", "--attempt", "first"], "--attempt"],
    [["log", "run1", "-n", "few"], "--lines: write a whole number"],
  ];
  for (const [args, says] of misuses) {
    it(`is refused: fjord ${args.join(" ")}`, async () => {
      const { exitCode, stdout, stderr } = await fjord(...args);
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 2, stdout: "" });
      expect(stderr).to.contain(says);
    });
  }

  it("is an empty result in a default project that does not exist yet", async () => {
    const env = { FJORD_PROJECT: undefined };
    expect(await project().run("fjord", ["list"], { env })).to.include({ exitCode: 0, stdout: "No jobs.\n" });
    expect(await project().run("fjord", ["list", "--json"], { env })).to.include({
      exitCode: 0,
      stdout: "[]\n",
    });
    expect(await project().run("fjord", ["history"], { env })).to.include({ stdout: "No attempts yet.\n" });
    expect(await project().run("fjord", ["show", "x"], { env })).to.include({ exitCode: 2, stdout: "" });
    expect(project().list(project().home)).to.deep.equal(["test"]);
  });
});

describe("large output", () => {
  const project = sharedProject();

  it("passes completely through a pipe whose reader is slow", async () => {
    const { layout } = project();
    for (let n = 0; n < 3000; n++) project().job(`a job of a rather long name ${n}`, "true");
    const log = Array.from({ length: 40_000 }, (_, n) => `line ${n} é\n`).join("");
    project().job("talks", "true");
    fs.writeFileSync(layout.attemptLog("talks", 1), log);
    fs.writeFileSync(layout.attemptLog("a job of a rather long name 1", 1), "one\n");
    const through = async (...words: string[]) => {
      const line = `"$@" | { while [ ! -e go ]; do sleep 0.02; done; cat; }`;
      fs.rmSync(`${project().work}/go`, { force: true });
      const command = project().startProgram("sh", [
        "-c",
        line,
        "sh",
        process.execPath,
        binary("fjord"),
        ...words,
      ]);
      await project().until("both jobs run", () => processesWith(project().root).length >= 2);
      fs.writeFileSync(`${project().work}/go`, "");
      return (await command.end).stdout;
    };
    expect(await through("log", "talks")).to.equal(log);
    const several = await through("log", "a job of a rather long name 1", "talks");
    expect(several.split("\n")).to.have.length(40_002);
    expect(several).to.match(/\ntalks \| line 39999 é\n$/);
    expect((await through("list")).trimEnd().split("\n")).to.have.length(3002);
    expect(JSON.parse(await through("list", "--json"))).to.have.length(3001);
  });
});

describe("the log of a running job", () => {
  const project = projectPerTest();

  it("is followed by fjord log -f through all attempts until the jobs have ended", async () => {
    const one = await project().remoteJob("one", { retries: "1" });
    const two = await project().remoteJob("two");
    await project().hire(2);
    const follower = project().start("fjord", ["log", "-f", "one", "two"]);
    project().start("dispatcher");
    await Promise.all([one.started(), two.started()]);
    await one.tell("echo first; printf 'half '");
    await follower.said("one | first\n");
    await two.tell("echo second");
    await follower.said("two | second\n");
    await two.tell("printf '10%%\\r20%%\\r'");
    await follower.said("two | 10%\ntwo | 20%\n");
    await one.tell("echo a line");
    await follower.said("one | half a line\n");
    one.exit(1);
    await one.started(2);
    await one.tell("echo again");
    await follower.said("one | again\n");
    expect(follower.isAlive).to.equal(true);
    one.exit(0);
    two.order("printf 'last words'");
    two.exit(0);
    const { exitCode, stdout } = await follower.end;
    expect(exitCode).to.equal(0);
    expect(stdout).to.match(/two \| last words\n/);
  });

  it("is followed from its last lines on with -n", async () => {
    const job = await project().remoteJob("one");
    await project().hire(1);
    project().start("dispatcher");
    await job.started();
    await job.tell("echo first; echo second");
    const follower = project().start("fjord", ["log", "-f", "-n", "1", "one"]);
    await follower.said("second\n");
    await job.tell("echo third; echo fourth");
    await follower.said("fourth\n");
    job.exit(0);
    expect((await follower.end).stdout).to.match(/^second\nthird\nfourth\n/);
  });

  it("is shown with the worker of the job, and is no longer followed after Ctrl-C", async () => {
    const job = await project().remoteJob("one");
    const [worker] = await project().hire(1);
    project().start("dispatcher");
    await job.started();
    const { stdout } = await project().run("fjord", ["show", "one"]);
    expect(stdout)
      .to.contain(`one: running (${worker})\n`)
      .and.to.match(/^1 +has not ended +20/m);
    const host = (await (await Project.open(project().directory)).workers())[0]?.host;
    expect((await project().run("fjord", ["list"])).stdout).to.match(
      new RegExp(`^one +running +1 +20.* ${host}$`, "m"),
    );
    expect((await project().run("fjord", ["explain", "one"])).stdout).to.contain(
      ` in ${project().work} since `,
    );
    const follower = project().start("fjord", ["log", "-f", "one"]);
    await job.tell("echo hello");
    await follower.said("hello\n");
    follower.kill("SIGINT");
    expect((await follower.end).exitCode).to.equal(130);
    job.exit(0);
    await project().ended("one");
  });
});
