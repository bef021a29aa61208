import fs from "node:fs";
import { expect } from "chai";
import type { CancelledOrHeld } from "../../src/jobs/cancelling.js";
import { Project } from "../../src/library/project.js";
import { isCancelRequest } from "../../src/project/entry-names.js";
import { isAlive, kill } from "../rig/processes.js";
import type { TemporaryProject } from "../rig/temporary-project.js";
import { projectPerTest } from "../rig/with-project.js";

/** The ends that a command reports with `--json`, by job. */
async function endsOf(project: TemporaryProject, ...args: string[]): Promise<Record<string, string>> {
  const { stdout, stderr } = await project.run("fjord", [...args, "--json"]);
  expect(stderr).to.equal("");
  return Object.fromEntries((JSON.parse(stdout) as CancelledOrHeld[]).map(({ job, end }) => [job, end]));
}

describe("fjord cancel", () => {
  const project = projectPerTest();

  it("takes jobs out of the queue by name, pattern and range, and names them", async () => {
    for (const name of ["a", "run1", "run2", "run10", "x"]) project().job(name, "true");
    const { exitCode, stdout } = await project().run("fjord", ["cancel", "run{1..2}", "x*", "--dry-run"]);
    expect({ exitCode, stdout }).to.deep.equal({
      exitCode: 0,
      stdout: "[fjord] Would cancel 3 jobs: run1, run2, x.\n",
    });
    expect(project().files.queued).to.have.length(5);
    const real = await project().run("fjord", ["cancel", "run{1..2}", "x*"]);
    expect(real.stdout).to.equal("[fjord] Cancelled 3 jobs: run1, run2, x.\n");
    expect(project().files.queued).to.deep.equal(["a.ini", "run10.ini"]);
    expect(project().files.cancelled).to.deep.equal(["run1.ini", "run2.ini", "x.ini"]);
    expect(project().events("cancelled", "x")[0]).to.include({ attempt: 0 });
  });

  it("records the jobs that it has cancelled when the store fails on the next one", async () => {
    for (const name of ["a", "b"]) project().job(name, "true");
    const opened = await Project.open(project().directory);
    const { store, layout } = opened;
    const rename = store.rename.bind(store);
    store.rename = (from, to) =>
      from === layout.queued("b.ini") ? Promise.reject(new Error("trouble")) : rename(from, to);
    const places = await opened.jobs(["a", "b"]);
    expect(await opened.cancel(places).catch((error: Error) => error.message)).to.equal("trouble");
    expect(project().files.cancelled).to.deep.equal(["a.ini"]);
    expect(project().events("cancelled", "a")).to.have.length(1);
  });

  it("names the jobs that it has cancelled when the ledger cannot be written", async () => {
    for (const name of ["a", "b", "c"]) project().job(name, "true");
    await project().run("fjord", ["cancel", "c"]);
    const { ledger } = project().layout;
    const [own = ""] = fs.readdirSync(ledger);
    fs.rmSync(`${ledger}/${own}`);
    fs.mkdirSync(`${ledger}/${own}`);
    const { exitCode, stderr } = await project().run("fjord", ["cancel", "a", "b"]);
    expect(exitCode).to.equal(2);
    expect(stderr).to.match(
      /^\[fjord\] 2 jobs are cancelled, but this cannot be written to the ledger: EISDIR/,
    );
    expect(project().files.cancelled).to.deep.equal(["a.ini", "b.ini", "c.ini"]);
  });

  it("stops a running job with all processes that the job has started, and publishes one outcome", async () => {
    await project().hire(1);
    project().start("dispatcher", ["--stay"]);
    project().job("deep", "sh -c 'sleep 1000 & echo $!; wait' #", { retries: "3" });
    const child = await project().until("the job runs", () => {
      const log = project().layout.attemptLog("deep", 1);
      return fs.existsSync(log) && Number(project().log("deep"));
    });
    expect(await endsOf(project(), "cancel", "deep")).to.deep.equal({ deep: "done" });
    await project().gone(child);
    expect(isAlive(child)).to.equal(false);
    expect(project().files.cancelled).to.deep.equal(["deep.ini"]);
    const [ended, ...more] = project().events("ended", "deep");
    expect(more).to.deep.equal([]);
    expect(ended).to.deep.include({ to: "jobcancelled", attempt: 1 });
    expect(ended?.outcome).to.include({ kind: "cancelled" }).and.to.have.property("by");
    expect(project().log("deep")).to.match(/\nfjord: cancelled by \S+@\S+\n$/);
    const { exitCode, stdout } = await project().run("fjord", ["show", "deep"]);
    expect(exitCode).to.equal(0);
    expect(stdout).to.match(/^deep: cancelled\n/);
  });

  it("reaches a job that waits on a desk while another job runs there", async () => {
    await project().hire(1);
    project().start("dispatcher", ["--stay"]);
    for (let n = 0; n < 30; n++) project().job(`quick${n}`, "true");
    await project().until("the worker's pace is known", () => project().ends.done.length === 30);
    const long = await project().remoteJob("a-long");
    project().job("b-next", "true");
    await long.started();
    await project().until("one job lies ahead", () =>
      project()
        .workers.flatMap((worker) => project().list(project().layout.desk(worker)))
        .includes("b-next.ini"),
    );
    expect(await endsOf(project(), "hold", "*-*")).to.deep.equal({ "a-long": "running", "b-next": "done" });
    expect(project().files.held).to.deep.equal(["b-next.ini"]);
    expect(await endsOf(project(), "cancel", "b-next")).to.deep.equal({ "b-next": "done" });
    long.exit(0);
    await project().ended("a-long");
    expect(project().files.cancelled).to.deep.equal(["b-next.ini"]);
  });

  it("cancels a job that waits for its next attempt, and its attempts start at 1 again after a retry", async () => {
    const { settings } = project().layout;
    const quick = fs.readFileSync(settings, "utf8");
    fs.writeFileSync(settings, quick.replace("retry_backoff = 0.1 s", "retry_backoff = 1 h"));
    await project().hire(1);
    const patient = project().start("dispatcher", ["--stay"]);
    project().job("often", "exit 4 #", { retries: "2" });
    await patient.said("attempt 2 of 3 follows");
    const cancelled = await project().run("fjord", ["cancel", "often"]);
    expect(cancelled.stdout).to.equal("[fjord] Cancelled 1 job: often.\n");
    expect(project().files.cancelled).to.deep.equal(["often.ini"]);
    patient.kill("SIGTERM");
    await patient.end;
    fs.writeFileSync(settings, quick);
    await project().run("fjord", ["retry", "often"]);
    expect((await project().run("dispatcher")).exitCode).to.equal(1);
    expect(project().events("ended", "often")).to.have.length(1 + 3);
    expect(project().ends.failed).to.deep.equal(["often"]);
  });

  it("takes the job from a worker that is killed before the worker answers", async () => {
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
        .some((entry) => isCancelRequest(entry)),
    );
    kill(pid, "SIGKILL");
    expect(await cancelling.end).to.include({ exitCode: 0, stdout: "[fjord] Cancelled 1 job: job.\n" });
    expect(project().files.cancelled).to.deep.equal(["job.ini"]);
    expect(project().events("started", "job")).to.have.length(1);
    expect(project().events("lost", "job")).to.have.length(1);
  });

  it("says that jobs have ended when they have, and that unknown jobs are unknown", async () => {
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

  it("keep jobs from running, and return them to the queue", async () => {
    for (const name of ["a", "b", "c"]) project().job(name, "true");
    expect((await project().run("fjord", ["hold", "a", "b"])).stdout).to.equal(
      "[fjord] Held 2 jobs: a, b.\n",
    );
    await project().hire(1);
    expect((await project().run("dispatcher")).stdout).to.contain(
      `[dispatcher] Jobs that are held until fjord release: 2. fjord list --state held --project ${project().directory} lists them.\n`,
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

  it("never replace a job with another one with the same name", async () => {
    project().job("twin", "true", { nice: "1" });
    await project().run("fjord", ["hold", "twin"]);
    project().job("twin", "true", { nice: "2" });
    expect(await endsOf(project(), "release", "twin")).to.deep.equal({ twin: "name-taken" });
    expect((await project().run("fjord", ["release", "twin"])).exitCode).to.equal(2);
    expect(await endsOf(project(), "hold", "twin")).to.deep.equal({ twin: "name-taken" });
    expect(project().files.queued).to.deep.equal(["twin.ini"]);
    expect(project().files.held).to.deep.equal(["twin.ini"]);
  });

  it("do not report a job as held when its worker still has to cancel the job first", async () => {
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

  it("report a job that disappeared while they released it", async () => {
    for (const name of ["a", "b"]) project().job(name, "true");
    await project().run("fjord", ["hold", "a", "b"]);
    const own = await Project.open(project().directory);
    const held = await own.jobs(["a", "b"]);
    fs.unlinkSync(project().layout.held("a.ini"));
    expect(await own.release(held)).to.deep.equal([
      { job: "a", state: "held", end: "gone" },
      { job: "b", state: "held", end: "queued" },
    ]);
    expect(project().files.queued).to.deep.equal(["b.ini"]);
  });
});
