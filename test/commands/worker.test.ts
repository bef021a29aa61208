import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { binary } from "../rig/command.js";
import { isAlive } from "../rig/processes.js";
import { projectPerTest } from "../rig/with-project.js";

describe("worker, started by hand", () => {
  const project = projectPerTest();

  it("works in its directory until it is fired", async () => {
    const there = path.join(project().work, "there");
    fs.mkdirSync(there);
    const worker = project().start("worker", ["--no-quiet"], { cwd: there });
    await worker.said(/^\[worker\] \S+ on duty in project "/);
    expect(worker.stdout).to.contain(`on duty in project "${project().directory}".`);
    project().job("where", "pwd;:");
    expect((await project().run("dispatcher")).exitCode).to.equal(0);
    expect(project().log("where")).to.equal(`${there}\n`);
    await project().run("recruiter", ["fire"]);
    expect((await worker.end).exitCode).to.equal(0);
  });

  it("prints nothing when it has no terminal", async () => {
    const worker = project().start("worker");
    await project().until("the worker is on duty", () => project().events("hired").length === 1);
    worker.kill("SIGTERM");
    const { exitCode, stdout, stderr } = await worker.end;
    expect({ exitCode, stdout, stderr }).to.deep.equal({ exitCode: 0, stdout: "", stderr: "" });
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`finishes its job at the first ${signal}, then leaves`, async () => {
      const job = await project().remoteJob("drained", { priority: "1" });
      const next = await project().remoteJob("next");
      const worker = project().start("worker", ["--no-quiet"]);
      project().start("dispatcher");
      const pid = await job.started();
      worker.kill(signal);
      await worker.said("[worker] Leaving after this job.");
      expect(isAlive(pid)).to.equal(true);
      await job.tell("echo still here");
      job.exit(0);
      expect((await worker.end).exitCode).to.equal(0);
      expect((await project().ended("drained")).outcome).to.deep.equal({ kind: "succeeded" });
      expect(next.hasStarted()).to.equal(false);
      expect(project().files.queued).to.deep.equal(["next.ini"]);
      expect(project().workers).to.deep.equal([]);
    });

    it(`stops the job at the second ${signal}, and the job goes back to the queue`, async () => {
      const job = await project().remoteJob("stopped");
      const worker = project().start("worker", ["--no-quiet"]);
      const dispatcher = project().start("dispatcher");
      const pid = await job.started();
      dispatcher.kill("SIGINT");
      await dispatcher.end;
      worker.kill(signal);
      await worker.said("Leaving after this job.");
      worker.kill(signal);
      await worker.said("[worker] Stopping the job, then leaving.");
      expect((await worker.end).exitCode).to.equal(0);
      expect(isAlive(pid)).to.equal(false);
      expect(project().files.queued).to.deep.equal(["stopped.ini"]);
      expect(project().list(project().layout.jobpod)).to.deep.equal(["retry"]);
      expect(project().events("ended", "stopped")[0]?.to).to.equal("jobqueue");
    });
  }

  it("goes on when the reader of its output goes", async () => {
    const job = await project().remoteJob("unheard");
    const command = `"${process.execPath}" "${binary("worker")}" --no-quiet --id mumbler | head -n 1; exit "$PIPESTATUS"`;
    const pipe = project().startProgram("bash", ["-c", command]);
    const dispatcher = project().start("dispatcher");
    await job.started();
    const pid = project().events("hired")[0]?.pid ?? 0;
    process.kill(pid, "SIGINT");
    await project().until("the worker wants to leave", () =>
      fs.readFileSync(project().layout.announcement("mumbler"), "utf8").includes("leaving"),
    );
    job.exit(0);
    expect((await pipe.end).exitCode).to.equal(0);
    expect((await dispatcher.end).exitCode).to.equal(0);
    expect(project().workers).to.deep.equal([]);
    expect(project().events("left")).to.have.length(1);
  });

  it("refuses an id that cannot be a directory name or is reserved, and says which ids are valid", async () => {
    await Promise.all(
      ["../x", "a b", ".x", "", "é", "x".repeat(200), "retry", "my-d-1"].map(async (id) => {
        const { exitCode, stderr } = await project().run("worker", [`--id=${id}`]);
        expect(exitCode, id).to.equal(2);
        expect(stderr, id).to.match(/^\[worker\] --id: ".*" cannot be a worker's id\.\n/);
        expect(stderr, id).to.contain("digits, '_' and '-'").and.to.contain('"retry"');
      }),
    );
    expect(project().workers).to.deep.equal([]);
    expect(project().list(project().layout.jobpod)).to.deep.equal(["retry"]);
  });
});

describe("a worker with an idle_limit", () => {
  const project = projectPerTest("[fjord]\npoll = 0.1 s\ngrace = 0.5 s\nidle_limit = 2 s\n");

  it("leaves when it has had nothing to do for that long, but not while it has a job", async () => {
    project().start("dispatcher", ["--stay"]);
    const job = await project().remoteJob("job");
    // On a busy machine a worker may reach the limit before the dispatcher gives it the job. Then another one is hired.
    await project().until("one worker runs the job, and one is idle", async () => {
      if (project().workers.length < 2) await project().hire(1);
      return project().workers.length === 2 && job.hasStarted();
    });
    const busy = project().events("started", "job")[0]?.worker;
    await project().until("only the busy worker is there", () => project().workers.join() === busy);
    const idler = await project().until("the idle worker has left", () => project().events("left")[0]);
    expect(idler).to.include({ reason: "idle for too long" });
    job.exit(0);
    await project().ended("job");
    await project().until("the other worker has left", () => project().workers.length === 0);
    expect(project().events("lost")).to.deep.equal([]);
    expect(project().list(project().layout.jobpod)).not.to.include(busy);
  });
});
