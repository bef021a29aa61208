import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { Project } from "../../src/compose/project.js";
import { binary } from "../rig/command.js";
import { kill, processesWith } from "../rig/processes.js";
import type { RemoteJob } from "../rig/remote-job.js";
import type { TemporaryProject } from "../rig/temporary-project.js";
import { projectPerTest } from "../rig/with-project.js";

/** The projects that runs have made and left. */
const kept = (project: TemporaryProject) =>
  project
    .list(project.home)
    .filter((name) => name.startsWith("run-"))
    .map((name) => path.join(project.home, name));

/** Runs commands to their end. */
const run = (project: TemporaryProject, ...args: string[]) => project.run("fjord", ["run", ...args]);

/** Job files of remote jobs, in a folder `jobs`. */
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

/** No worker of a run is left. */
const nobodyLeft = (project: TemporaryProject) =>
  project.until("no process is left", () => processesWith(project.root).length === 0);

describe("fjord run", () => {
  const project = projectPerTest();

  it("runs jobs, prints what each printed once, and leaves nothing behind", async () => {
    const end = await run(project(), "-j", "3", "--param", "n=1..7", "--", "echo one {n}; echo two {n} >&2");
    expect(end).to.include({ exitCode: 0, stderr: "" });
    const pairs = end.stdout.match(/one (\d)\ntwo \1\n/g) ?? [];
    expect(pairs.join("")).to.equal(end.stdout);
    expect(pairs.sort()).to.deep.equal([1, 2, 3, 4, 5, 6, 7].map((n) => `one ${n}\ntwo ${n}\n`));
    expect(project().list(project().home)).to.deep.equal(["test"]);
    await nobodyLeft(project());
  });

  it("prints as jobs end; with -k in the order in which they were given", async () => {
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
      await project().until("the last has ended", () =>
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

  it("prints more than a pipe holds as a whole", async () => {
    const million = 1_000_000;
    const command = `head -c ${million} /dev/zero | tr '\\0' {c}`;
    const { exitCode, stdout } = await run(project(), "-k", "-j2", "--param", "c=a,b,c", "--", command);
    expect(exitCode).to.equal(0);
    expect(stdout === "a".repeat(million) + "b".repeat(million) + "c".repeat(million)).to.equal(true);
  });

  it("ends with 1 when some failed, says how, and keeps what is needed to look into it", async () => {
    const args = ["-k", "-j1", "--name", "is {n}", "--param", "n=0,3", "--", "echo {n}; exit {n}"];
    const { exitCode, stdout, stderr } = await run(project(), ...args);
    expect({ exitCode, stdout }).to.deep.equal({ exitCode: 1, stdout: "0\n3\n" });
    const [directory = ""] = kept(project());
    expect(stderr).to.equal(
      "[fjord] is 3: exit code 3\n[fjord] 2 jobs: 1 succeeded, 1 failed.\n" +
        `[fjord] What they printed: fjord log --project '${directory}' JOB\n` +
        "[fjord] That is kept until it is removed: fjord clean --runs --older-than 7d\n",
    );
    expect((await project().run("fjord", ["log", "--project", directory, "is 3"])).stdout).to.equal("3\n");
    expect(project().list(path.join(directory, "workerqueue"))).to.deep.equal([]);
  });

  it("prints the last attempt only of what is tried again", async () => {
    const command = "echo attempt $FJORD_ATTEMPT; test $FJORD_ATTEMPT = {n}";
    const end = await run(project(), "-k", "--retries", "1", "--param", "n=1,2,3", "--", command);
    expect(end).to.include({ exitCode: 1, stdout: "attempt 1\nattempt 2\nattempt 2\n" });
  });

  it("runs jobs where it was started, with its environment and nothing to read", async () => {
    const { stdout } = await project().run("fjord", ["run", "--", 'cat; pwd; echo "$ASKED"'], {
      input: "not for jobs\n",
      env: { ASKED: "yes" },
    });
    expect(stdout).to.equal(`${project().work}\nyes\n`);
  });

  it("takes lines of standard input", async () => {
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

  const refusals: [args: string[], says: string][] = [
    [[], "Nothing to submit."],
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

  it("soon: begins nothing after so many failures", async () => {
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

  it("soon: lets what runs end, and does not try it again", async () => {
    const [long] = (await folderOf(project(), "a-long")) as [RemoteJob];
    fs.appendFileSync(path.join(project().work, "jobs/a-long.ini"), "retries = 2\n");
    fs.writeFileSync(path.join(project().work, "jobs/b.ini"), "[control]\nexecutable = false\n");
    const args = ["run", "-j2", "--halt", "soon,fail=1", "--results", "r.csv", "jobs"];
    const running = project().start("fjord", args);
    await long.started();
    await project().until("the other has failed", () =>
      kept(project()).some((dir) => project().list(path.join(dir, "jobfailed")).length === 1),
    );
    long.exit(1);
    expect((await running.end).exitCode).to.equal(1);
    expect(long.hasStarted(2)).to.equal(false);
    expect(states(results())).to.deep.equal(["cancelled", "failed"]);
  });

  it("now: stops what runs, by a share of all", async () => {
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

describe("what fjord run tells", () => {
  const project = projectPerTest();

  it("--results: a table of all jobs, their parameters and results, in the order given", async () => {
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
      expect(row.slice(9)).to.deep.equal(["", String(i + 1), String(n), String(n)]); // the logs are gone
    }
  });

  it("--bar: on no terminal a line at first, now and then, and in the end", async () => {
    const end = await run(project(), "--bar", "--param", "n=0,0,1", "--", "exit {n}");
    const bars = end.stderr.split("\n").filter((line) => line.startsWith("[#") || line.startsWith("[."));
    expect(bars.at(-1)).to.equal(`[${"#".repeat(30)}] 3/3, 1 failed`);
    expect(bars.length).to.be.below(20);
    expect(end.stderr).not.to.contain("\r");
    expect(end.stdout).to.equal("");
  });

  it("--json: the outcome instead of what jobs print", async () => {
    const { stdout, stderr } = await run(project(), "--json", "--param", "n=1,2", "--", "echo {n}");
    const { elapsed, ...rest } = JSON.parse(stdout) as Record<string, unknown>;
    expect(elapsed).to.be.a("number");
    expect(rest).to.deep.equal({ total: 2, succeeded: 2, failed: 0, cancelled: 0, halted: false });
    expect(stderr).to.equal("");
  });

  it("--dry-run: the command lines, and nothing is run or made", async () => {
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

  it("is kept when it was named; the next run there tells of its own jobs only", async () => {
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

  it("has to be nobody's", async () => {
    for (const occupy of [
      async () => project().job("waits", "true"),
      async () => void (await project().hire(1)),
    ]) {
      await occupy();
      const { exitCode, stderr } = await run(project(), "--project", "test", "--", "true");
      expect(exitCode).to.equal(2);
      expect(stderr).to.contain("is in use: 1 ").and.to.contain("leave --project out");
      expect(project().list(project().layout.end("jobdone"))).to.deep.equal([]);
      fs.rmSync(project().layout.queued("waits.ini"), { force: true });
    }
  });

  it("is not the one that runs beside it", async () => {
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
    expect(project().list(project().layout.jobqueue)).to.deep.equal(["next.ini"]);
    expect(dispatcher.hasEnded).to.equal(false);
    expect(project().events("ended")).to.deep.equal([]);
    job.exit(0);
    await project().ended("next");
  });
});

describe("fjord run that is stopped", () => {
  const project = projectPerTest("[fjord]\npoll = 0.3 s\ngrace = 0.5 s\nidle_limit = 0.5 s\n");

  it("by Ctrl-C stops all, and tells what was", async () => {
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

  it("by Ctrl-C that comes twice at once, as from timeout --foreground and the terminal, tells what was", async () => {
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

  it("by a second Ctrl-C leaves the rest to the workers, and says so", async () => {
    const [job] = (await folderOf(project(), "job")) as [RemoteJob];
    const mine = path.join(project().work, "mine");
    fs.mkdirSync(mine);
    fs.writeFileSync(path.join(mine, "settings.ini"), "[fjord]\npoll = 0.3 s\ngrace = 4 s\n");
    const running = project().start("fjord", ["run", "--project", mine, "-j1", "jobs"]);
    const pid = await job.started();
    await job.tell("trap '' TERM");
    running.kill("SIGINT");
    const { layout } = await Project.open(mine, project().env);
    const [worker = ""] = project()
      .list(layout.jobpod)
      .filter((desk) => layout.deskKind(desk) !== undefined);
    await project().until("the job is being cancelled", () =>
      project()
        .list(layout.desk(worker))
        .some((entry) => layout.isAsk(entry)),
    );
    await new Promise((resolve) => setTimeout(resolve, 400)); // what comes sooner is the same Ctrl-C
    running.kill("SIGINT");
    const { exitCode, stderr } = await running.end;
    expect(exitCode).to.equal(130);
    const said =
      "[fjord] Stopping all jobs and workers; another Ctrl-C leaves that to the workers.\n" +
      `[fjord] Going at once. What is left there: recruiter fire --now --project ${mine}\n`;
    expect(stderr).to.be.oneOf([
      `${said}[fjord] Left: 1 worker, told to stop what they run and to go.\n`,
      `${said}[fjord] No worker is left.\n`, // it was quicker than this test
    ]);
    await project().gone(pid);
    await nobodyLeft(project());
    expect(project().list(layout.workerqueue)).to.deep.equal([]);
  });

  it("as nobody reads what it prints stops all", async () => {
    const [much, long] = (await folderOf(project(), "much", "long")) as [RemoteJob, RemoteJob];
    const script = '"$0" "$1" run --bar -j2 jobs 2>&1 | grep -m1 ^1$; echo $PIPESTATUS';
    const piped = project().startProgram("bash", ["-c", script, process.execPath, binary("fjord")]);
    await long.started();
    much.order("seq 200000");
    much.exit(0);
    expect((await piped.end).stdout).to.equal("1\n130\n");
    await nobodyLeft(project());
  });

  it("by kill -9: what runs ends, and the workers go by themselves", async () => {
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
