import fs from "node:fs";
import { expect } from "chai";
import { Project } from "../../src/compose/project.js";
import type { Withdrawn } from "../../src/compose/withdraw.js";
import { isAlive, kill } from "../rig/processes.js";
import type { TemporaryProject } from "../rig/temporary-project.js";
import { projectPerTest } from "../rig/with-project.js";

/** The ends that a command tells with `--json`, by job. */
async function endsOf(project: TemporaryProject, ...args: string[]): Promise<Record<string, string>> {
  const { stdout, stderr } = await project.run("fjord", [...args, "--json"]);
  expect(stderr).to.equal("");
  return Object.fromEntries((JSON.parse(stdout) as Withdrawn[]).map(({ job, end }) => [job, end]));
}

describe("fjord cancel", () => {
  const project = projectPerTest();

  it("takes jobs out of the queue, by name, pattern and range, and tells which", async () => {
    for (const name of ["a", "run1", "run2", "run10", "x"]) project().job(name, "true");
    const { exitCode, stdout } = await project().run("fjord", ["cancel", "run{1..2}", "x*", "--dry-run"]);
    expect({ exitCode, stdout }).to.deep.equal({
      exitCode: 0,
      stdout: "[fjord] Would cancel 3 jobs: run1, run2, x.\n",
    });
    expect(project().list(project().layout.jobqueue)).to.have.length(5);
    const real = await project().run("fjord", ["cancel", "run{1..2}", "x*"]);
    expect(real.stdout).to.equal("[fjord] Cancelled 3 jobs: run1, run2, x.\n");
    expect(project().list(project().layout.jobqueue)).to.deep.equal(["a.ini", "run10.ini"]);
    expect(project().list(project().layout.end("jobcancelled"))).to.deep.equal([
      "run1.ini",
      "run2.ini",
      "x.ini",
    ]);
    expect(project().events("cancelled", "x")[0]).to.include({ attempt: 0 });
  });

  it("tells the ledger of those that it has cancelled when the store has trouble with the next", async () => {
    for (const name of ["a", "b"]) project().job(name, "true");
    const opened = await Project.open(project().directory);
    const { store, layout } = opened;
    const rename = store.rename.bind(store);
    store.rename = (from, to) =>
      from === layout.queued("b.ini") ? Promise.reject(new Error("trouble")) : rename(from, to);
    const places = await opened.jobs(["a", "b"]);
    expect(await opened.cancel(places).catch((error: Error) => error.message)).to.equal("trouble");
    expect(project().list(layout.end("jobcancelled"))).to.deep.equal(["a.ini"]);
    expect(project().events("cancelled", "a")).to.have.length(1);
  });

  it("says what it has cancelled when the ledger cannot be told", async () => {
    for (const name of ["a", "b", "c"]) project().job(name, "true");
    await project().run("fjord", ["cancel", "c"]);
    const { ledger } = project().layout;
    const [own = ""] = fs.readdirSync(ledger);
    fs.rmSync(`${ledger}/${own}`);
    fs.mkdirSync(`${ledger}/${own}`);
    const { exitCode, stderr } = await project().run("fjord", ["cancel", "a", "b"]);
    expect(exitCode).to.equal(2);
    expect(stderr).to.match(/^\[fjord\] 2 jobs are cancelled, but the ledger cannot be told of it: EISDIR/);
    expect(project().list(project().layout.end("jobcancelled"))).to.deep.equal(["a.ini", "b.ini", "c.ini"]);
  });

  it("stops a job that runs, with all that it has started, and publishes that once", async () => {
    await project().hire(1);
    project().start("dispatcher", ["--stay"]);
    project().job("deep", "sh -c 'sleep 1000 & echo $!; wait' #", { retries: "3" });
    const child = await project().until("it runs", () => {
      const log = project().layout.attemptLog("deep", 1);
      return fs.existsSync(log) && Number(project().log("deep"));
    });
    expect(await endsOf(project(), "cancel", "deep")).to.deep.equal({ deep: "done" });
    await project().gone(child);
    expect(isAlive(child)).to.equal(false);
    expect(project().list(project().layout.end("jobcancelled"))).to.deep.equal(["deep.ini"]);
    const [ended, ...more] = project().events("ended", "deep");
    expect(more).to.deep.equal([]);
    expect(ended).to.deep.include({ to: "jobcancelled", attempt: 1 });
    expect(ended?.outcome).to.include({ kind: "cancelled" }).and.to.have.property("by");
    expect(project().log("deep")).to.match(/\nfjord: cancelled by \S+@\S+\n$/);
    const { exitCode, stdout } = await project().run("fjord", ["show", "deep"]);
    expect(exitCode).to.equal(0);
    expect(stdout).to.match(/^deep: cancelled\n/);
  });

  it("reaches a job that lies ahead on a desk, while another runs there", async () => {
    await project().hire(1);
    project().start("dispatcher", ["--stay"]);
    for (let n = 0; n < 30; n++) project().job(`quick${n}`, "true");
    await project().until("the worker's pace is known", () => project().ends.done.length === 30);
    const long = await project().remoteJob("a-long");
    project().job("b-next", "true");
    await long.started();
    await project().until("one lies ahead", () =>
      project()
        .workers.flatMap((worker) => project().list(project().layout.desk(worker)))
        .includes("b-next.ini"),
    );
    expect(await endsOf(project(), "hold", "*-*")).to.deep.equal({ "a-long": "running", "b-next": "done" });
    expect(project().list(project().layout.jobheld)).to.deep.equal(["b-next.ini"]);
    expect(await endsOf(project(), "cancel", "b-next")).to.deep.equal({ "b-next": "done" });
    long.exit(0);
    await project().ended("a-long");
    expect(project().list(project().layout.end("jobcancelled"))).to.deep.equal(["b-next.ini"]);
  });

  it("takes a job off that waits for its next attempt; put back, its attempts are counted anew", async () => {
    const { settings } = project().layout;
    const quick = fs.readFileSync(settings, "utf8");
    fs.writeFileSync(settings, quick.replace("retry_backoff = 0.1 s", "retry_backoff = 1 h"));
    await project().hire(1);
    const patient = project().start("dispatcher", ["--stay"]);
    project().job("often", "exit 4 #", { retries: "2" });
    await patient.said("attempt 2 of 3 follows");
    const cancelled = await project().run("fjord", ["cancel", "often"]);
    expect(cancelled.stdout).to.equal("[fjord] Cancelled 1 job: often.\n");
    expect(project().list(project().layout.end("jobcancelled"))).to.deep.equal(["often.ini"]);
    patient.kill("SIGTERM");
    await patient.end;
    fs.writeFileSync(settings, quick);
    await project().run("fjord", ["retry", "often"]);
    expect((await project().run("dispatcher")).exitCode).to.equal(1);
    expect(project().events("ended", "often")).to.have.length(1 + 3);
    expect(project().ends.failed).to.deep.equal(["often"]);
  });

  it("takes a job of a worker that is killed before it answers", async () => {
    await project().hire(1);
    project().start("dispatcher", ["--stay"]);
    const job = await project().remoteJob("job");
    await job.started();
    const [worker] = await (await Project.open(project().directory)).workers();
    const pid = worker?.process.pid ?? 0;
    kill(pid, "SIGSTOP");
    const cancelling = project().start("fjord", ["cancel", "job"]);
    await project().until("the worker was asked", () =>
      project()
        .list(project().layout.desk(worker?.worker ?? ""))
        .some((entry) => project().layout.isAsk(entry)),
    );
    kill(pid, "SIGKILL");
    expect(await cancelling.end).to.include({ exitCode: 0, stdout: "[fjord] Cancelled 1 job: job.\n" });
    expect(project().list(project().layout.end("jobcancelled"))).to.deep.equal(["job.ini"]);
    expect(project().events("started", "job")).to.have.length(1);
    expect(project().events("lost", "job")).to.have.length(1);
  });

  it("says of jobs that have ended that they have, and of unknown ones that they are unknown", async () => {
    await project().hire(1);
    project().job("over", "true");
    await project().run("dispatcher");
    expect(await endsOf(project(), "cancel", "over")).to.deep.equal({ over: "ended" });
    expect(project().ends.done).to.deep.equal(["over"]);
    const { exitCode, stderr } = await project().run("fjord", ["cancel", "ovr"]);
    expect(exitCode).to.equal(3);
    expect(stderr).to.contain('There is no job "ovr".').and.to.contain('Did you mean "over"?');
  });
});

describe("fjord hold and release", () => {
  const project = projectPerTest();

  it("keep jobs from being run, and give them back", async () => {
    for (const name of ["a", "b", "c"]) project().job(name, "true");
    expect((await project().run("fjord", ["hold", "a", "b"])).stdout).to.equal(
      "[fjord] Held 2 jobs: a, b.\n",
    );
    await project().hire(1);
    expect((await project().run("dispatcher")).stdout).to.contain(
      `[dispatcher] Held back: 2, until fjord release. fjord list --state held --project ${project().directory} names them.\n`,
    );
    expect(project().ends.done).to.deep.equal(["c"]);
    expect((await project().run("fjord", ["status"])).stdout).to.contain("0 waiting, 2 held, 0 running");
    const { exitCode, stdout } = await project().run("fjord", ["release", "*"]);
    expect(stdout).to.equal("[fjord] Released 2 jobs: a, b.\n[fjord] Not held: c.\n");
    expect(exitCode).to.equal(0);
    expect(await project().run("fjord", ["release", "c"])).to.include({
      exitCode: 0,
      stdout: "[fjord] Released 0 jobs.\n[fjord] Not held: c.\n",
    });
    await project().run("dispatcher");
    expect(project().ends.done).to.deep.equal(["a", "b", "c"]);
  });

  it("never lose a job to another of its name", async () => {
    project().job("twin", "true", { nice: "1" });
    await project().run("fjord", ["hold", "twin"]);
    project().job("twin", "true", { nice: "2" });
    expect(await endsOf(project(), "release", "twin")).to.deep.equal({ twin: "name-taken" });
    expect((await project().run("fjord", ["release", "twin"])).exitCode).to.equal(2);
    expect(await endsOf(project(), "hold", "twin")).to.deep.equal({ twin: "name-taken" });
    expect(project().list(project().layout.jobqueue)).to.deep.equal(["twin.ini"]);
    expect(project().list(project().layout.jobheld)).to.deep.equal(["twin.ini"]);
  });

  it("do not tell of a job as held whose worker was to cancel it first", async () => {
    const opened = await Project.open(project().directory);
    const { layout } = opened;
    fs.mkdirSync(layout.desk("w-1"));
    project().job("late", "true");
    fs.renameSync(layout.queued("late.ini"), layout.onDesk("w-1", "late.ini"));
    const held = opened.hold(await opened.jobs(["late"]));
    const isNote = (name: string) => name.startsWith(".ask.");
    await project().until("the worker is asked", () => project().list(layout.desk("w-1")).some(isNote));
    fs.renameSync(layout.onDesk("w-1", "late.ini"), layout.ended("jobcancelled", "late.ini"));
    expect((await held).map(({ end }) => end)).to.deep.equal(["ended"]);
    fs.rmSync(layout.desk("w-1"), { recursive: true });
  });

  it("tell of a job that went while it was to be released", async () => {
    for (const name of ["a", "b"]) project().job(name, "true");
    await project().run("fjord", ["hold", "a", "b"]);
    const own = await Project.open(project().directory);
    const held = await own.jobs(["a", "b"]);
    fs.unlinkSync(project().layout.held("a.ini"));
    expect(await own.release(held)).to.deep.equal([
      { job: "a", state: "held", end: "gone" },
      { job: "b", state: "held", end: "queued" },
    ]);
    expect(project().list(project().layout.jobqueue)).to.deep.equal(["b.ini"]);
  });
});
