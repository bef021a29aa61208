import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { Project } from "../../src/library/project.js";
import { binary } from "../rig/command.js";
import { kill, processesWith } from "../rig/processes.js";
import type { RemoteJob } from "../rig/remote-job.js";
import type { TemporaryProject } from "../rig/temporary-project.js";
import { projectPerTest } from "../rig/with-project.js";

/** The projects that runs have created and left behind. */
const kept = (project: TemporaryProject) =>
  project
    .list(project.home)
    .filter((name) => name.startsWith("run-"))
    .map((name) => path.join(project.home, name));

const run = (project: TemporaryProject, ...args: string[]) => project.run("fjord", ["run", ...args]);

/** Creates the job files of remote jobs in a folder `jobs`. */
async function folderOf(project: TemporaryProject, ...names: string[]): Promise<RemoteJob[]> {
  const folder = path.join(project.work, "jobs");
  fs.mkdirSync(folder, { recursive: true });
  return Promise.all(
    names.map(async (name) => {
      const job = await project.remote(name);
      fs.writeFileSync(path.join(folder, `${name}.ini`), `[control]\nexecutable = ${job.commandLine}\n`);
      return job;
    }),
  );
}

/** Waits until no worker of the run is left. */
const nobodyLeft = (project: TemporaryProject) =>
  project.until("no process is left", () => processesWith(project.root).length === 0);

describe("fjord run", () => {
  const project = projectPerTest();

  it("runs jobs, prints the output of each job once, and leaves no files behind", async () => {
    const end = await run(project(), "-j", "3", "--param", "n=1..7", "--", "echo one {n}; echo two {n} >&2");
    expect(end).to.include({ exitCode: 0, stderr: "" });
    const pairs = end.stdout.match(/one (\d)\ntwo \1\n/g) ?? [];
    expect(pairs.join("")).to.equal(end.stdout);
    expect(pairs.sort()).to.deep.equal([1, 2, 3, 4, 5, 6, 7].map((n) => `one ${n}\ntwo ${n}\n`));
    expect(project().list(project().home)).to.deep.equal(["test"]);
    await nobodyLeft(project());
  });

  it("prints the output of each job as the job ends, or with -k in the order of the command line", async () => {
    for (const [options, order] of [
      [[], "last\nfirst\n"],
      [["-k"], "first\nlast\n"],
    ] as const) {
      const [first, last] = (await folderOf(project(), `a${options}`, `b${options}`)) as [
        RemoteJob,
        RemoteJob,
      ];
      const running = project().start("fjord", ["run", "-j2", ...options, "jobs"]);
      await first.started();
      await last.started();
      last.order("echo last");
      last.exit(0);
      await project().until("the last job has ended", () =>
        kept(project()).some((dir) => project().list(path.join(dir, "jobdone")).length === 1),
      );
      if (options.length === 0) await running.said("last");
      else expect(running.stdout).to.equal("");
      first.order("echo first");
      first.exit(0);
      expect(await running.end).to.include({ exitCode: 0, stdout: order, stderr: "" });
      fs.rmSync(path.join(project().work, "jobs"), { recursive: true });
    }
  });

  it("prints more than a pipe holds without a loss", async () => {
    const million = 1_000_000;
    const command = `head -c ${million} /dev/zero | tr '\\0' {c}`;
    const { exitCode, stdout } = await run(project(), "-k", "-j2", "--param", "c=a,b,c", "--", command);
    expect(exitCode).to.equal(0);
    expect(stdout === "a".repeat(million) + "b".repeat(million) + "c".repeat(million)).to.equal(true);
  });

  it("exits 1 when some jobs failed, says how, and keeps the files needed to examine them", async () => {
    const args = ["-k", "-j1", "--name", "is {n}", "--param", "n=0,3", "--", "echo {n}; exit {n}"];
    const { exitCode, stdout, stderr } = await run(project(), ...args);
    expect({ exitCode, stdout }).to.deep.equal({ exitCode: 1, stdout: "0\n3\n" });
    const [directory = ""] = kept(project());
    expect(stderr).to.equal(
      "[fjord] is 3: exit code 3\n[fjord] 2 jobs: 1 succeeded, 1 failed.\n" +
        `[fjord] Output of a job: fjord log --project '${directory}' JOB\n` +
        "[fjord] The project is kept until you remove it: fjord clean --runs --older-than 7d\n",
    );
    expect((await project().run("fjord", ["log", "--project", directory, "is 3"])).stdout).to.equal("3\n");
    expect(project().list(path.join(directory, "workerqueue"))).to.deep.equal([]);
  });

  it("prints only the last attempt of a job that was retried", async () => {
    const command = "echo attempt $FJORD_ATTEMPT; test $FJORD_ATTEMPT = {n}";
    const end = await run(project(), "-k", "--retries", "1", "--param", "n=1,2,3", "--", command);
    expect(end).to.include({ exitCode: 1, stdout: "attempt 1\nattempt 2\nattempt 2\n" });
  });

  it("runs jobs in its own directory, with its environment and an empty standard input", async () => {
    const { stdout } = await project().run("fjord", ["run", "--", 'cat; pwd; echo "$ASKED"'], {
      input: "not for jobs\n",
      env: { ASKED: "yes" },
    });
    expect(stdout).to.equal(`${project().work}\nyes\n`);
  });

  it("reads jobs from the lines of standard input", async () => {
    const { stdout } = await project().run(
      "fjord",
      ["run", "-k", "--each-line", "-", "--", "echo", "<{line}>"],
      {
        input: "a b\nit's\n",
      },
    );
    expect(stdout).to.equal("<a b>\n<it's>\n");
  });

  it("replaces a worker that was killed", async () => {
    const [job] = (await folderOf(project(), "job")) as [RemoteJob];
    const running = project().start("fjord", ["run", "-j1", "jobs"]);
    await job.started();
    for (const { pid, command } of processesWith(project().root)) {
      if (command.includes("hired-worker")) kill(pid, "SIGKILL");
    }
    await job.started(2);
    job.exit(0);
    expect(await running.end).to.include({ exitCode: 0, stderr: "" });
  });

  it("says that no worker is left and none can be hired, and what happens to the jobs", async () => {
    const gone = path.join(project().work, "gone");
    fs.mkdirSync(gone);
    const pid = `$(sed -n 's/^pid *= *//p' "$FJORD_PROJECT/workerqueue/$FJORD_WORKER.ini")`;
    const line = `rmdir '${gone}'; kill -9 ${pid}`;
    const { exitCode, stderr } = await project().run("fjord", ["run", "-j1", "--name", "one", "--", line], {
      cwd: gone,
    });
    const [directory = ""] = kept(project());
    const at = `--project ${directory}`;
    expect({ exitCode, stderr }).to.deep.equal({
      exitCode: 2,
      stderr:
        `[fjord] The workers' directory "${gone}" does not exist.\n` +
        "[fjord] Hire in a directory that exists.\n" +
        "[fjord] No worker is left, so this run ends.\n" +
        `[fjord] Jobs that have not ended stay in the queue. Go on with: recruiter hire ${at}; dispatcher ${at}\n`,
    });
    expect(fs.readdirSync(path.join(directory, "jobqueue"))).to.include("one.ini");
  });

  const refusals: [args: string[], says: string][] = [
    [[], "There is nothing to submit."],
    [["bad.ini"], 'did you mean "executable"?'],
    [["gone.ini"], '"gone.ini" cannot be read'],
    [["-j", "0", "--", "true"], '--workers: found "0".'],
    [["-j", "few", "--", "true"], '--workers: found "few".'],
    [["--halt", "now", "--", "true"], '--halt: found "now".'],
    [["--after", "x", "--", "true"], "fjord run has no --after."],
    [["--results", "no/such/r.csv", "--", "true"], "no/such/r.csv"],
    [["--each-line", "/dev/null", "--", "true"], "has no values"],
  ];
  for (const [args, says] of refusals) {
    it(`is refused: ${args.join(" ") || "nothing at all"}`, async () => {
      fs.writeFileSync(path.join(project().work, "bad.ini"), "[control]\nexecutabel = x\n");
      const { exitCode, stdout, stderr } = await run(project(), ...args);
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 2, stdout: "" });
      expect(stderr).to.contain(says);
      expect(kept(project())).to.deep.equal([]);
    });
  }
});

describe("fjord run --halt", () => {
  const project = projectPerTest();
  const states = (csv: string) =>
    csv
      .split("\r\n")
      .slice(1, -1)
      .map((line) => line.split(",")[1]);
  const results = () => fs.readFileSync(path.join(project().work, "r.csv"), "utf8");

  it("with soon, starts no more jobs after the given number of failures", async () => {
    const end = await run(
      project(),
      ...["-k", "-j1", "--halt", "soon,fail=2", "--results", "r.csv"],
      ...["--param", "n=0,1,0,1,0,0", "--", "echo {index}; exit {n}"],
    );
    expect(end).to.include({ exitCode: 1, stdout: "1\n2\n3\n4\n" });
    expect(end.stderr).to.contain(
      "6 jobs: 2 succeeded, 2 failed, 2 not run or stopped (--halt soon,fail=2).",
    );
    expect(states(results())).to.deep.equal(["done", "failed", "done", "failed", "cancelled", "cancelled"]);
  });

  it("with soon, lets the running jobs end, and does not retry them", async () => {
    const [long] = (await folderOf(project(), "a-long")) as [RemoteJob];
    fs.appendFileSync(path.join(project().work, "jobs/a-long.ini"), "retries = 2\n");
    fs.writeFileSync(path.join(project().work, "jobs/b.ini"), "[control]\nexecutable = false\n");
    const args = ["run", "-j2", "--halt", "soon,fail=1", "--results", "r.csv", "jobs"];
    const running = project().start("fjord", args);
    await long.started();
    await project().until("the other job has failed", () =>
      kept(project()).some((dir) => project().list(path.join(dir, "jobfailed")).length === 1),
    );
    long.exit(1);
    expect((await running.end).exitCode).to.equal(1);
    expect(long.hasStarted(2)).to.equal(false);
    expect(states(results())).to.deep.equal(["cancelled", "failed"]);
  });

  it("with now, stops the running jobs when a share of all jobs has failed", async () => {
    const [long] = (await folderOf(project(), "a-long")) as [RemoteJob];
    for (const name of ["b", "c"]) {
      fs.writeFileSync(path.join(project().work, `jobs/${name}.ini`), "[control]\nexecutable = false\n");
    }
    const args = ["run", "-j2", "--halt", "now,fail=60%", "--json", "--results", "r.csv", "jobs"];
    const running = project().start("fjord", args);
    const pid = await long.started();
    const { exitCode, stdout } = await running.end;
    expect(exitCode).to.equal(1);
    const { elapsed, ...rest } = JSON.parse(stdout) as Record<string, unknown>;
    expect(elapsed).to.be.a("number");
    expect(rest).to.deep.equal({
      ...{ total: 3, succeeded: 0, failed: 2, cancelled: 1, halted: true },
      project: kept(project())[0],
    });
    expect(states(results())).to.deep.equal(["cancelled", "failed", "failed"]);
    await project().gone(pid);
  });
});

describe("the reports of fjord run", () => {
  const project = projectPerTest();

  it("are, with --results, a table of all jobs with parameters and results, in the order of the command line", async () => {
    const { exitCode } = await run(
      project(),
      ...["--results", "r.csv", "--name", "r {n}", "--param", "n=10,9", "--retries", "1"],
      ...["--", 'echo \'{"loss": {n}}\' > "$FJORD_RESULT"; test $FJORD_ATTEMPT = 2 || exit 3'],
    );
    expect(exitCode).to.equal(0);
    const [head, ...rows] = fs
      .readFileSync(path.join(project().work, "r.csv"), "utf8")
      .trimEnd()
      .split("\r\n");
    expect(head).to.equal("job,state,attempts,exit,signal,seconds,cpu,memory,host,log,index,n,loss");
    expect(rows.map((row) => row.split(","))).to.have.length(2);
    for (const [i, n] of [10, 9].entries()) {
      const row = rows[i]?.split(",") ?? [];
      expect(row.slice(0, 5)).to.deep.equal([`r ${n}`, "done", "2", "0", ""]);
      // The first cell is empty because the run has removed its logs.
      expect(row.slice(9)).to.deep.equal(["", String(i + 1), String(n), String(n)]);
    }
  });

  it("are, with --bar but without a terminal, a line at the start, at intervals, and at the end", async () => {
    const end = await run(project(), "--bar", "--param", "n=0,0,1", "--", "exit {n}");
    const bars = end.stderr.split("\n").filter((line) => line.startsWith("[#") || line.startsWith("[."));
    expect(bars.at(-1)).to.equal(`[${"#".repeat(30)}] 3/3, 1 failed`);
    expect(bars.length).to.be.below(20);
    expect(end.stderr).not.to.contain("\r");
    expect(end.stdout).to.equal("");
  });

  it("are, with --json, the outcome in place of the output of the jobs", async () => {
    const { stdout, stderr } = await run(project(), "--json", "--param", "n=1,2", "--", "echo {n}");
    const { elapsed, ...rest } = JSON.parse(stdout) as Record<string, unknown>;
    expect(elapsed).to.be.a("number");
    expect(rest).to.deep.equal({ total: 2, succeeded: 2, failed: 0, cancelled: 0, halted: false });
    expect(stderr).to.equal("");
  });

  it("are, with --dry-run, the command lines; fjord runs and creates nothing", async () => {
    const end = await run(project(), "--dry-run", "--param", "n=a b,c", "--", "touch", "{n}");
    expect(end).to.deep.include({ exitCode: 0, stdout: "touch 'a b'\ntouch c\n", stderr: "" });
    const json = await run(project(), "--dry-run", "--json", "--name", "x", "--", "touch", "y");
    expect(JSON.parse(json.stdout)).to.deep.equal([{ job: "x", file: "x.ini", runs: "touch y" }]);
    expect(project().list(project().work)).to.deep.equal([]);
    expect(project().list(project().home)).to.deep.equal(["test"]);
  });
});

describe("the project of fjord run", () => {
  const project = projectPerTest();

  it("is kept when the user named it, and the next run in it reports only its own jobs", async () => {
    const here = ["-k", "--project", "./mine", "--name", "{n}", "--results", "r.csv"];
    expect(
      (await run(project(), ...here, "--param", "n=a,b", "--", "echo {n}; test {n} = a")).stdout,
    ).to.equal("a\nb\n");
    const again = await run(
      project(),
      ...here,
      "--halt",
      "soon,fail=1",
      "--param",
      "n=b,c",
      "--",
      "echo",
      "{n}",
    );
    expect(again).to.include({ exitCode: 0, stdout: "b\nc\n", stderr: "" });
    const rows = fs.readFileSync(path.join(project().work, "r.csv"), "utf8").trimEnd().split("\r\n").slice(1);
    const mine = path.join(project().work, "mine");
    expect(
      rows
        .map((row) => row.split(","))
        .map(([job, state, attempts, , , , , , , log]) => [job, state, attempts, log]),
    ).to.deep.equal([
      ["b", "done", "1", path.join(mine, "joblogs/b.2.log")],
      ["c", "done", "1", path.join(mine, "joblogs/c.1.log")],
    ]);
    const list = await project().run("fjord", ["list", "--project", mine, "--state", "done", "--json"]);
    expect((JSON.parse(list.stdout) as unknown[]).length).to.equal(3);
  });

  it("must not be a project with other workers or jobs", async () => {
    for (const occupy of [
      async () => project().job("waits", "true"),
      async () => void (await project().hire(1)),
    ]) {
      await occupy();
      const { exitCode, stderr } = await run(project(), "--project", "test", "--", "true");
      expect(exitCode).to.equal(2);
      expect(stderr).to.contain("is in use: 1 ").and.to.contain("Leave --project out");
      expect(project().files.done).to.deep.equal([]);
      fs.rmSync(project().layout.queued("waits.ini"), { force: true });
    }
  });

  it("is separate from a project in which other jobs run at the same time", async () => {
    const [worker] = await project().hire(1);
    const dispatcher = project().start("dispatcher", ["--stay"]);
    const job = await project().remoteJob("theirs");
    await job.started();
    project().job("next", "true");
    expect(await run(project(), "--name", "theirs", "--", "echo mine")).to.include({
      exitCode: 0,
      stdout: "mine\n",
    });
    expect(project().workers).to.deep.equal([worker]);
    expect(project().files.queued).to.deep.equal(["next.ini"]);
    expect(dispatcher.isAlive).to.equal(true);
    expect(project().events("ended")).to.deep.equal([]);
    job.exit(0);
    await project().ended("next");
  });
});

describe("fjord run, when it is stopped", () => {
  const project = projectPerTest("[fjord]\npoll = 0.3 s\ngrace = 0.5 s\nidle_limit = 0.5 s\n");

  it("stops all jobs at Ctrl-C, and reports what happened", async () => {
    const [, b] = (await folderOf(project(), "a", "b", "c")) as [RemoteJob, RemoteJob];
    const running = project().start("fjord", ["run", "-j2", "--results", "r.csv", "jobs"]);
    await b.started();
    running.kill("SIGINT");
    const { exitCode, stderr } = await running.end;
    expect(exitCode).to.equal(130);
    expect(stderr).to.contain("3 jobs: 0 succeeded, 0 failed, 3 not run or stopped.");
    await nobodyLeft(project());
    const rows = fs.readFileSync(path.join(project().work, "r.csv"), "utf8").trimEnd().split("\r\n").slice(1);
    expect(rows.map((row) => row.split(",").slice(0, 2))).to.deep.equal([
      ["a", "cancelled"],
      ["b", "cancelled"],
      ["c", "cancelled"],
    ]);
  });

  it("reports what happened when Ctrl-C arrives twice at once, as from timeout --foreground and the terminal", async () => {
    const [a] = (await folderOf(project(), "a", "b")) as [RemoteJob];
    const running = project().start("fjord", ["run", "-j1", "jobs"]);
    await a.started();
    running.kill("SIGINT");
    running.kill("SIGINT");
    const { exitCode, stderr } = await running.end;
    expect(exitCode).to.equal(130);
    expect(stderr).to.contain("2 jobs: 0 succeeded, 0 failed, 2 not run or stopped.");
    await nobodyLeft(project());
  });

  it("leaves the rest to the workers at a second Ctrl-C, and says so", async () => {
    const [job] = (await folderOf(project(), "job")) as [RemoteJob];
    const mine = path.join(project().work, "mine");
    fs.mkdirSync(mine);
    fs.writeFileSync(path.join(mine, "settings.ini"), "[fjord]\npoll = 0.3 s\ngrace = 60 s\n");
    const running = project().start("fjord", ["run", "--project", mine, "-j1", "jobs"]);
    const pid = await job.started();
    await job.tell("trap '' TERM");
    running.kill("SIGINT");
    const { layout } = await Project.open(mine, project().env);
    await project().until("the first Ctrl-C is heard", () => running.stderr.includes("Stopping all jobs"));
    await new Promise((resolve) => setTimeout(resolve, 400)); // An earlier signal would count as the same Ctrl-C.
    running.kill("SIGINT");
    const { exitCode, stderr } = await running.end;
    expect(exitCode).to.equal(130);
    const said =
      "[fjord] Stopping all jobs and workers; another Ctrl-C leaves that to the workers.\n" +
      `[fjord] Ending at once. To stop workers that are left: recruiter fire --now --project ${mine}\n`;
    expect(stderr).to.be.oneOf([
      `${said}[fjord] Workers that are left: 1. They were told to stop their jobs and to go.\n`,
      `${said}[fjord] No worker is left.\n`, // The worker was faster than this test.
    ]);
    job.exit(0); // Otherwise the worker kills the job after the grace time.
    await project().gone(pid);
    await nobodyLeft(project());
    expect(project().list(layout.workerqueue)).to.deep.equal([]);
  });

  it("stops all jobs when the reader of its output goes away", async () => {
    const [much, long] = (await folderOf(project(), "much", "long")) as [RemoteJob, RemoteJob];
    const script = '"$0" "$1" run --bar -j2 jobs 2>&1 | grep -m1 ^1$; echo $PIPESTATUS';
    const piped = project().startProgram("bash", ["-c", script, process.execPath, binary("fjord")]);
    await long.started();
    much.order("seq 200000");
    much.exit(0);
    expect((await piped.end).stdout).to.equal("1\n130\n");
    await nobodyLeft(project());
  });

  it("lets running jobs end after kill -9, and the workers leave by themselves", async () => {
    const [job] = (await folderOf(project(), "job")) as [RemoteJob];
    const running = project().start("fjord", ["run", "--project", "test", "-j1", "jobs"]);
    await job.started();
    running.kill("SIGKILL");
    await running.exit;
    job.exit(0);
    await project().ended("job");
    await nobodyLeft(project());
    expect(project().events("left")[0]).to.include({ reason: "idle for too long" });
    expect(project().list(project().layout.workerqueue)).to.deep.equal([]);
  });
});
