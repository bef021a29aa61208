import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { exitOf } from "../../src/job/outcome.js";
import type { JobRecord } from "../../src/jobs/record.js";
import type { AttemptRecord } from "../../src/ledger/attempts.js";
import { Project } from "../../src/library/project.js";
import { Layout } from "../../src/project/layout.js";
import { kill } from "../rig/processes.js";
import { projectPerTest } from "../rig/with-project.js";

describe("fjord edit", () => {
  const project = projectPerTest();
  const edit = (editor: string, ...jobs: string[]) =>
    project().run("fjord", ["edit", ...jobs], {
      env: { EDITOR: editor, TMPDIR: project().root }, // fjord keeps a refused text in this directory.
      input: "",
    });
  const queued = (file: string) => fs.readFileSync(project().layout.queued(file), "utf8");

  it("changes a waiting job, and the job keeps its place in the queue", async () => {
    project().job("a", "true");
    const before = fs.statSync(project().layout.queued("a.ini")).mtimeMs;
    expect(await edit("sed -i s/true/false/", "a")).to.include({
      exitCode: 0,
      stdout: "[fjord] Changed a.\n",
    });
    expect(queued("a.ini")).to.equal("[control]\nexecutable = false\n");
    expect(fs.statSync(project().layout.queued("a.ini")).mtimeMs).to.be.closeTo(before, 2);
    expect(project().files.held).to.deep.equal([]);
    expect(await edit("true", "a")).to.include({ exitCode: 0, stdout: "[fjord] Left a as it was.\n" });
    expect(queued("a.ini")).to.contain("false");
  });

  it("changes nothing when the text is not a valid job or the editor fails", async () => {
    project().job("a", "true");
    const bad = await edit("sed -i s/executable/executible/", "a");
    expect(bad.exitCode).to.equal(2);
    expect(bad.stdout).to.contain('did you mean "executable"?');
    expect(bad.stderr).to.contain("The edited text is not a valid job; a is as it was.");
    const failed = await edit("exit 3; :", "a");
    expect(failed.exitCode).to.equal(2);
    expect(failed.stderr).to.contain("the job is as it was");
    expect(queued("a.ini")).to.equal("[control]\nexecutable = true\n");
  });

  it("keeps a held job held, and keeps the job from running during the edit", async () => {
    project().job("a", "true");
    await project().run("fjord", ["hold", "a"]);
    await edit("sed -i s/true/false/", "a");
    expect(project().files.held).to.deep.equal(["a.ini"]);
    await project().run("fjord", ["release", "a"]);
    await project().hire(1);
    project().start("dispatcher", ["--stay"]);
    await project().ended("a");
    const go = path.join(project().work, "go");
    project().job("b", "touch ran #");
    const editing = project().start("fjord", ["edit", "b"], {
      env: { EDITOR: `until test -e ${go}; do sleep 0.05; done; sed -i s/ran/changed/` },
    });
    // The dispatcher may hand out this job first. Then fjord has nothing left to edit.
    await project().until("the job is held, or runs", () => {
      const held = project().files.held.includes("b.ini");
      return held || !editing.isAlive;
    });
    fs.writeFileSync(go, "");
    const { exitCode } = await editing.end;
    await project().ended("b");
    expect(fs.existsSync(path.join(project().work, exitCode === 0 ? "changed" : "ran"))).to.equal(true);
    expect(fs.existsSync(path.join(project().work, exitCode === 0 ? "ran" : "changed"))).to.equal(false);
  });

  it("does not put back a job that another user has released during the edit, so that the job exists only once", async () => {
    project().job("a", "true");
    const { layout } = project();
    const { exitCode, stderr } = await edit(
      `mv ${layout.held("a.ini")} ${layout.queued("a.ini")}; sed -i s/true/false/`,
      "a",
    );
    expect(exitCode).to.equal(2);
    expect(stderr).to.contain("a does not wait");
    expect(queued("a.ini")).to.equal("[control]\nexecutable = true\n");
    expect(project().files.held).to.deep.equal([]);
  });

  it("refuses a job that does not wait", async () => {
    fs.writeFileSync(project().layout.ended("jobdone", "over.ini"), "[control]\nexecutable = true\n");
    const { exitCode, stderr } = await edit("true", "over");
    expect(exitCode).to.equal(2);
    expect(stderr).to.contain("over does not wait");
    expect(project().ends.done).to.deep.equal(["over"]);
  });
});

describe("fjord clean", () => {
  const project = projectPerTest();
  const clean = (...args: string[]) => project().run("fjord", ["clean", ...args]);

  it("removes jobs that have ended, with their logs, and nothing else", async () => {
    await project().hire(1);
    for (const name of ["a", "b"]) project().job(name, "echo x > $FJORD_RESULT #");
    project().job("bad", "false");
    await project().run("dispatcher");
    project().job("waits", "true");
    expect((await clean("--older-than", "1h")).stdout).to.equal("[fjord] Removed 0 jobs.\n");
    expect((await clean("--older-than", "0", "--dry-run")).stdout).to.match(
      /^\[fjord\] Would remove 2 jobs: a, b/,
    );
    expect(project().ends.done).to.deep.equal(["a", "b"]);
    expect((await clean("--older-than", "0", "a")).stdout).to.equal("[fjord] Removed 1 job: a.\n");
    expect(project().ends).to.deep.equal({ done: ["b"], failed: ["bad"] });
    const logs = project().list(project().layout.joblogs);
    expect(logs).to.include.members(["b.1.log", "bad.1.log"]);
    expect(logs.filter((name) => name.startsWith("a."))).to.deep.equal([]);
    const unknown = await clean("--older-than", "0", "--state", "failed,waiting");
    expect(unknown.exitCode).to.equal(2);
    expect(unknown.stderr).to.include("The states are done, failed, cancelled.");
    await clean("--older-than", "0", "--state", "failed,done");
    expect(project().ends).to.deep.equal({ done: [], failed: [] });
    expect(project().list(project().layout.joblogs)).to.deep.equal([]);
    expect(project().files.queued).to.deep.equal(["waits.ini"]);
    expect(project().events("ended", "a")).to.have.length(1);
  });

  it("keeps a job that is named but in another state, and says so", async () => {
    await project().hire(1);
    project().job("bad", "false");
    await project().run("dispatcher");
    const { stdout } = await clean("--older-than", "0", "bad");
    expect(stdout).to.equal(
      "[fjord] Removed 0 jobs.\n[fjord] Kept, because their state is failed: bad. --state failed removes them, too.\n",
    );
    expect(project().ends).to.deep.equal({ done: [], failed: ["bad"] });
  });

  it("keeps a directory that was refused as a job, names the directory, and removes the other jobs", async () => {
    await project().hire(1);
    fs.mkdirSync(project().layout.queued("data"));
    fs.writeFileSync(path.join(project().layout.queued("data"), "precious"), "1");
    for (const name of ["bad", "worse"]) project().job(name, "false");
    await project().run("dispatcher");
    const { stdout, exitCode } = await clean("--older-than", "0", "--state", "failed");
    const data = project().layout.ended("jobfailed", "data");
    expect(stdout).to.contain("[fjord] Removed 2 jobs: bad, worse").and.to.contain(`directory: ${data}.`);
    expect(exitCode).to.equal(0);
    expect(fs.readFileSync(path.join(data, "precious"), "utf8")).to.equal("1");
    expect(project().ends.failed).to.deep.equal(["data"]);
  });

  it("removes all files of a name that was used again, according to its last end", async () => {
    await project().hire(1);
    for (const line of ["true", "false"]) {
      project().job("a", line);
      await project().run("dispatcher");
    }
    expect(project().ends).to.deep.equal({ done: ["a"], failed: ["a"] });
    expect((await clean("--older-than", "0")).stdout).to.match(/^\[fjord\] Removed 0 jobs/);
    expect((await clean("--older-than", "0", "--state", "failed")).stdout).to.match(
      /^\[fjord\] Removed 1 job: a/,
    );
    expect(project().ends).to.deep.equal({ done: [], failed: [] });
    expect((await project().run("fjord", ["list"])).stdout).to.equal("No jobs.\n");
  });

  it("keeps the logs of the workers on duty", async () => {
    const [worker] = await project().hire(1);
    project().job("a", "true");
    await project().run("dispatcher");
    await clean("--older-than", "0");
    expect(project().list(project().layout.daemonlogs)).to.deep.equal([`${worker}.log`, `${worker}.out`]);
  });

  it("does not count the failures of an earlier job when its name is used again", async () => {
    const [worker] = await project().hire(1);
    project().job("a", "exit 1 #");
    await project().run("dispatcher");
    await clean("--older-than", "0", "--state", "failed");
    expect(project().list(project().layout.joblogs)).to.deep.equal([]);
    const dispatched = async () => (await project().run("dispatcher", ["--json"])).stdout;
    project().job("a", "echo '{\"n\": 1}' > $FJORD_RESULT; exit 3 #", { retries: "1" });
    const list = async (...args: string[]) =>
      JSON.parse((await project().run("fjord", ["list", "--json", ...args])).stdout) as JobRecord[];
    expect((await list())[0]).to.deep.include({ state: "waiting", attempts: [] });
    expect(await dispatched()).to.contain("all 2 attempts failed (retries: 1)");
    // The third job runs on another worker. The ledger of that worker may be read before or after the ledger of the
    // first worker.
    await project().run("recruiter", ["fire", "--wait", worker ?? ""]);
    await clean("--older-than", "0", "--state", "failed");
    await project().hire(1);
    project().job("a", "exit 4 #", { retries: "2" });
    expect(await dispatched()).to.contain("all 3 attempts failed (retries: 2)");

    const [job] = await list("--where", "attempt = 3");
    const codes = (attempts: readonly AttemptRecord[] = []) => attempts.map(({ outcome }) => exitOf(outcome));
    expect(codes(job?.attempts)).to.deep.equal([4, 4, 4]);
    expect(new Set(job?.attempts.map(({ life }) => life))).to.deep.equal(new Set([job?.attempts[0]?.run]));
    const { stdout: history } = await project().run("fjord", ["history", "--json"]);
    const all = history
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as AttemptRecord);
    expect(codes(all)).to.deep.equal([1, 3, 3, 4, 4, 4]);
    expect(all.map(({ life }) => [...new Set(all.map((one) => one.life))].indexOf(life))).to.deep.equal([
      0, 1, 1, 2, 2, 2,
    ]);
    expect(new Set(all.map(({ run }) => run)).size).to.equal(6);
    expect(all.map(({ log }) => log !== undefined)).to.deep.equal([false, false, false, true, true, true]);
    expect((await project().run("fjord", ["results", "--csv"])).stdout).to.equal("job,state\r\n");
  });

  it("requires an age", async () => {
    expect((await clean()).stderr).to.contain("Say how old the jobs are.");
    expect((await clean("--older-than", "soon")).stderr).to.contain("Write a duration such as 90, 30m");
    expect(await clean("--older-than", "1", "week")).to.deep.include({
      exitCode: 2,
      stderr: '[fjord] --older-than: found "1" and "week".\n[fjord] Write it as one word: --older-than 7d\n',
    });
    expect((await clean("--older-than", "1month")).stderr).to.equal(
      '[fjord] --older-than: found "1month".\n[fjord] Write a duration such as 90, 30m, 2h, 7d or 2weeks.\n',
    );
    for (const week of ["1w", "2 weeks"]) {
      expect(await clean("--older-than", week)).to.include({ exitCode: 0, stderr: "" });
    }
    expect((await clean("--older-than", "2 h")).exitCode).to.equal(0);
  });

  it("removes a job whose name was too long for a log beside its file", async () => {
    const { layout } = project();
    for (const file of [`${"n".repeat(250)}.ini`, "nonsense.ini"])
      fs.writeFileSync(layout.queued(file), "nonsense\n");
    await project().run("dispatcher");
    expect(project().files.failed).to.have.length(2);
    const { exitCode, stderr } = await clean("--older-than", "0", "--state", "failed");
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: "" });
    expect(project().files.failed).to.deep.equal([]);
  });
});

describe("fjord clean --runs", () => {
  const project = projectPerTest();
  const clean = (...args: string[]) => project().run("fjord", ["clean", "--runs", ...args]);
  const runs = () => project().list(project().home);

  /** Makes a failed run whose project has not changed for an hour. */
  async function failedRun(): Promise<string> {
    const before = runs();
    const { exitCode, stderr } = await project().run("fjord", ["run", "-j1", "--", "false"]);
    expect(exitCode).to.equal(1);
    expect(stderr).to.contain("fjord clean --runs --older-than 7d\n");
    const name = runs().find((one) => !before.includes(one)) ?? "";
    age(name);
    return name;
  }

  function age(name: string): void {
    const layout = new Layout(path.join(project().home, name));
    const then = Date.now() / 1000 - 3600;
    for (const dir of [...layout.directories(), layout.root]) fs.utimesSync(dir, then, then);
  }

  it("removes the files that failed runs have kept, and nothing else", async () => {
    const [one, two] = [await failedRun(), await failedRun()].sort();
    fs.mkdirSync(path.join(project().home, "run-mine"));
    expect((await clean("--older-than", "1d")).stdout).to.equal("[fjord] Removed 0 runs.\n");
    expect((await clean("--dry-run")).stdout).to.equal(`[fjord] Would remove 2 runs: ${one}, ${two}.\n`);
    expect(runs()).to.have.length(4);
    expect((await clean("--older-than", "30m")).stdout).to.equal(`[fjord] Removed 2 runs: ${one}, ${two}.\n`);
    expect(runs()).to.deep.equal(["run-mine", "test"]);
  });

  it("keeps runs with live processes or recent changes", async () => {
    const [mine, young] = [await failedRun(), await failedRun()];
    fs.writeFileSync(path.join(project().home, young, "jobqueue", "a.ini"), "");
    await project().hire(1, "--project", mine);
    age(mine);
    const { stdout } = await clean("--json");
    expect(JSON.parse(stdout)).to.deep.equal({ runs: [], inUse: [mine, young].sort() });
    const [worker] = await (await Project.open(path.join(project().home, mine))).workers();
    kill(worker?.process.pid ?? 0, "SIGKILL");
    await project().gone(worker?.process.pid ?? 0);
    const dispatcher = project().start("dispatcher", ["--project", mine]);
    await dispatcher.said("Started on");
    age(mine);
    expect((await clean()).stdout).to.match(
      /^\[fjord\] Removed 0 runs\.\n\[fjord\] Not removed, because somebody works there or did a minute ago: run-/,
    );
    dispatcher.kill("SIGTERM");
    await dispatcher.end;
    age(mine);
    expect((await clean()).stdout).to.contain(`Removed 1 run: ${mine}.\n`);
  });

  it("accepts neither jobs nor a project", async () => {
    for (const args of [["a"], ["--project", "test"]]) {
      const { exitCode, stderr } = await clean(...args);
      expect(exitCode).to.equal(2);
      expect(stderr).to.contain("name neither jobs nor a project");
    }
  });
});
