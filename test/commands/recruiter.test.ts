import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { execa } from "execa";
import { formatIni } from "../../src/job/ini-dialect.js";
import { Layout } from "../../src/project/layout.js";
import { binary } from "../rig/command.js";
import { isAlive, kill } from "../rig/processes.js";
import { projectPerTest, skip } from "../rig/with-project.js";

/** The session of a process, proc(5) field 6. */
function sessionOf(pid: number): number {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3]);
}

describe("recruiter hire", () => {
  const project = projectPerTest();

  it("returns when the workers are on duty, and says how many there are, where they run and where their logs are", async () => {
    const { exitCode, stdout, stderr } = await project().run("recruiter", ["hire", "2"]);
    expect(project().workers).to.have.length(2);
    expect(stderr).to.equal("");
    expect(exitCode).to.equal(0);
    expect(stdout).to.match(/^\[recruiter\] Hired 2 workers on \S+ in project "/);
    expect(stdout).to.contain(`in project "${project().directory}".`);
    expect(stdout).to.contain(project().layout.daemonlogs).and.to.contain(project().layout.joblogs);
    for (const worker of project().workers) {
      expect(fs.existsSync(project().layout.desk(worker))).to.equal(true);
      expect(fs.existsSync(project().layout.daemonLog(worker))).to.equal(true);
    }
  });

  it("starts each worker in its own session, so that no terminal ends the worker", async function () {
    if (process.platform !== "linux") skip(this, "only /proc tells sessions");
    await project().hire(2);
    for (const { pid } of project().events("hired")) expect(sessionOf(pid)).to.equal(pid);
  });

  it("hires one worker fewer than there are CPUs, and at least one, when no number is given", async () => {
    const { exitCode } = await project().run("recruiter", ["hire"]);
    expect(exitCode).to.equal(0);
    expect(project().workers).to.have.length(Math.max(1, os.availableParallelism() - 1));
  });

  it("prints the workers as JSON", async () => {
    const { stdout } = await project().run("recruiter", ["hire", "2", "--json"]);
    const hired = JSON.parse(stdout) as {
      worker: { worker: string; state: string; process: { pid: number } };
    }[];
    expect(hired.map((one) => one.worker.worker).sort()).to.deep.equal(project().workers);
    for (const { worker } of hired) {
      expect(worker.state).to.equal("idle");
      expect(isAlive(worker.process.pid)).to.equal(true);
    }
  });

  it("never uses an id twice", async () => {
    await project().hire(2);
    await project().run("recruiter", ["fire"]);
    await project().hire(2);
    // A worker is announced before it writes the event to the ledger.
    const hired = await project().until("all workers have written the event", () => {
      const lines = project().events("hired");
      return lines.length >= 4 && lines;
    });
    expect(new Set(hired.map(({ worker }) => worker)).size).to.equal(4);
  });

  for (const count of ["0", "-1", "1.5", "many", "10001"]) {
    it(`refuses to hire ${count}`, async () => {
      const { exitCode, stdout, stderr } = await project().run("recruiter", ["hire", count]);
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 2, stdout: "" });
      expect(stderr).to.contain("The number of workers is a whole number from 1 to 10000.");
      expect(stderr).to.contain("recruiter hire 4");
      expect(project().workers).to.deep.equal([]);
    });
  }

  for (const args of [
    [],
    ["hier"],
    ["hire", "1", "--vai", "tmux"],
    ["hire", "1", "--via", "ssh"],
    ["hire", "1", "2"],
  ]) {
    it(`refuses "recruiter ${args.join(" ")}" and points to --help`, async () => {
      const { exitCode, stdout, stderr } = await project().run("recruiter", args);
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 2, stdout: "" });
      expect(stderr).to.match(
        /^\[recruiter\] .+\n\[recruiter\] (Did .+ )?recruiter --help lists the possible words\.\n$/s,
      );
      expect(project().workers).to.deep.equal([]);
    });
  }

  it("says why a worker does not come on duty", async () => {
    const broken = path.join(project().root, "broken.cjs");
    fs.writeFileSync(
      broken,
      'if (process.argv[1]?.endsWith("worker.js")) throw new Error("out of coffee");\n',
    );
    const { exitCode, stdout, stderr } = await project().run("recruiter", ["hire", "2"], {
      env: { NODE_OPTIONS: `--require=${broken}` },
    });
    expect({ exitCode, stdout }).to.deep.equal({ exitCode: 2, stdout: "" });
    expect(stderr).to.match(/The worker \S+ did not come on duty: .*out of coffee/s);
    expect(stderr).to.contain(`worker --project ${project().directory}`);
    expect(stderr).not.to.contain("bug in fjord");
  });
});

describe("recruiter list", () => {
  const project = projectPerTest();

  it("shows the workers on duty and what each does", async () => {
    const job = await project().remoteJob("long one", { retries: "1" });
    const [first] = await project().hire(1);
    project().start("dispatcher");
    await job.started();
    await project().until("the worker is announced as busy", async () => {
      const { exitCode, stdout } = await project().run("recruiter", ["list"]);
      expect(exitCode).to.equal(0);
      expect(stdout).to.match(/^WORKER +HOST +STATE +JOB +SINCE\n/);
      return new RegExp(`^${first} +\\S+ +busy +long one +20\\d\\d-`, "m").test(stdout);
    });
    const { stdout } = await project().run("recruiter", ["list", "--json"]);
    const [listed] = JSON.parse(stdout) as { worker: string; job: { name: string; attempt: number } }[];
    expect(listed?.worker).to.equal(first);
    expect(listed?.job).to.include({ name: "long one", attempt: 1 });
    job.exit(0);
  });

  it("says what to do when no worker is on duty", async () => {
    const { exitCode, stdout } = await project().run("recruiter", ["list"]);
    expect(exitCode).to.equal(0);
    expect(stdout).to.contain("Nobody is on duty").and.to.contain("recruiter hire");
    expect((await project().run("recruiter", ["list", "--json"])).stdout).to.equal("[]\n");
  });
});

describe("recruiter fire", () => {
  const project = projectPerTest();

  it("ends idle workers", async () => {
    await project().hire(2);
    const { exitCode, stdout } = await project().run("recruiter", ["fire"]);
    expect(exitCode).to.equal(0);
    expect(stdout).to.equal(`[recruiter] Fired 2 workers in project "${project().directory}".\n`);
    expect(project().workers).to.deep.equal([]);
    expect(project().list(project().layout.jobpod)).to.deep.equal(["retry"]);
    expect(project().events("left")).to.have.length(2);
  });

  it("says when no worker is on duty", async () => {
    const { exitCode, stdout } = await project().run("recruiter", ["fire"]);
    expect(exitCode).to.equal(0);
    expect(stdout).to.contain("Nobody is on duty");
  });

  it("refuses an unknown worker, and then fires no worker at all", async () => {
    const [worker = ""] = await project().hire(1);
    const { exitCode, stdout, stderr } = await project().run("recruiter", ["fire", worker, "nobody"]);
    expect({ exitCode, stdout }).to.deep.equal({ exitCode: 3, stdout: "" });
    expect(stderr).to.contain(`No worker nobody in ${project().directory}.`);
    expect(stderr).to.contain("recruiter list");
    expect(project().workers).to.deep.equal([worker]);
    expect(project().list(project().layout.desk(worker))).not.to.include(".fire");
  });

  it("lets the running job finish, and the worker takes no other job", async () => {
    const first = await project().remoteJob("first", { priority: "1" });
    const second = await project().remoteJob("second");
    const [worker = ""] = await project().hire(1);
    project().start("dispatcher");
    const pid = await first.started();
    const { exitCode, stdout } = await project().run("recruiter", ["fire"]);
    expect(exitCode).to.equal(0);
    expect(stdout).to.contain(`${worker} finishes first, then goes.`);
    expect(isAlive(pid)).to.equal(true);
    first.exit(0);
    expect((await project().ended("first")).outcome).to.deep.equal({ kind: "succeeded" });
    await project().until("the worker has gone", () => project().workers.length === 0);
    expect(second.hasStarted()).to.equal(false);
    expect(project().files.queued).to.deep.equal(["second.ini"]);
  });

  it("waits for the jobs, too, with --wait", async () => {
    const job = await project().remoteJob("long");
    await project().hire(1);
    project().start("dispatcher");
    await job.started();
    const fire = project().start("recruiter", ["fire", "--wait"]);
    await project().until("the worker has received the order", () =>
      /state *[:=] *leaving/.test(announcements()),
    );
    expect(fire.isAlive).to.equal(true);
    job.exit(0);
    const { exitCode, stdout } = await fire.end;
    expect(exitCode).to.equal(0);
    expect(stdout).to.equal(`[recruiter] Fired 1 worker in project "${project().directory}".\n`);
    expect(project().ends.done).to.deep.equal(["long"]);
    expect(project().workers).to.deep.equal([]);
  });

  function announcements(): string {
    const { layout } = project();
    return project()
      .list(layout.workerqueue)
      .map((file) => fs.readFileSync(path.join(layout.workerqueue, file), "utf8"))
      .join();
  }

  it("stops the job with --now, with all processes whatever signals they ignore, and puts the job back", async () => {
    const job = await project().remoteJob("stubborn");
    await project().hire(1);
    const dispatcher = project().start("dispatcher");
    const pid = await job.started();
    await job.tell("trap '' TERM INT HUP");
    await job.tell("sh -c 'trap \"\" TERM; sleep 1000' & echo child $!");
    const child = Number(/child (\d+)/.exec(project().log("stubborn"))?.[1]);
    expect(isAlive(child)).to.equal(true);
    dispatcher.kill("SIGINT");
    await dispatcher.end;
    const { exitCode } = await project().run("recruiter", ["fire", "--now"]);
    expect(exitCode).to.equal(0);
    expect(project().workers).to.deep.equal([]);
    expect(isAlive(pid), "the job lives on").to.equal(false);
    expect(isAlive(child), "its child lives on").to.equal(false);
    expect(project().files.queued).to.deep.equal(["stubborn.ini"]);
    expect(project().ends).to.deep.equal({ done: [], failed: [] });
    const [end] = project().events("ended", "stubborn");
    expect(end?.outcome.kind).to.equal("cancelled");
    expect(end?.to).to.equal("jobqueue");
    expect(project().log("stubborn")).to.match(
      /\nfjord: stopped: its worker was fired; the job goes back to the queue\n$/,
    );

    await project().hire(1);
    const again = project().start("dispatcher");
    await job.started(2);
    job.exit(0);
    expect((await again.end).exitCode).to.equal(0);
    expect((await project().ended("stubborn")).attempt).to.equal(2);
  });

  it("gives a job that ends at SIGTERM the time to tidy up", async () => {
    fs.writeFileSync(project().layout.settings, "[fjord]\ngrace = 20 s\n");
    const job = await project().remoteJob("tidy");
    await project().hire(1);
    project().start("dispatcher");
    await job.started();
    await job.tell("trap 'echo tidied; exit 0' TERM");
    await job.tell("sleep 1000 &");
    job.order("wait");
    await project().run("recruiter", ["fire", "--now"]);
    expect(project().log("tidy")).to.equal(
      "tidied\nfjord: stopped: its worker was fired; the job goes back to the queue\n",
    );
    expect(project().files.queued).to.deep.equal(["tidy.ini"]);
  });

  it("fires exactly the named workers, and not those whose names begin with the same letters", async () => {
    const test = project().start("worker", ["--id", "test"]);
    const test2 = project().start("worker", ["--id", "test2"]);
    await project().until("both workers are on duty", () => project().events("hired").length === 2);
    const { exitCode } = await project().run("recruiter", ["fire", "test"]);
    expect(exitCode).to.equal(0);
    expect((await test.end).exitCode).to.equal(0);
    expect(project().workers).to.deep.equal(["test2"]);
    expect(project().list(project().layout.desk("test2"))).not.to.include(".fire");
    expect(test2.isAlive).to.equal(true);
  });

  it("leaves the workers of other projects alone", async () => {
    await project().hire(1);
    await project().hire(1, "--project", "test2");
    const other = new Layout(path.join(project().home, "test2"));
    const { exitCode } = await project().run("recruiter", ["fire", "--project", "test"]);
    expect(exitCode).to.equal(0);
    expect(project().workers).to.deep.equal([]);
    expect(project().list(other.workerqueue)).to.have.length(1);
    const listed = await project().run("recruiter", ["list", "--json", "--project", "test2"]);
    const [left] = JSON.parse(listed.stdout) as { process: { pid: number } }[];
    expect(isAlive(left?.process.pid ?? 0)).to.equal(true);
  });

  it("reaches a worker on another host through the directory", async function () {
    const isolated = ["--uts", "--pid", "--fork", "--kill-child", "--mount-proc"];
    const { failed } = await execa("unshare", [...isolated, "hostname", "elsewhere"], { reject: false });
    if (failed) skip(this, "unshare cannot make another host here");
    const worker = `hostname elsewhere; exec "${process.execPath}" "${binary("worker")}" --id far`;
    const far = project().startProgram("unshare", [...isolated, "sh", "-c", worker]);
    await project().until("the far worker is on duty", () =>
      project().list(project().layout.jobpod).includes("far"),
    );
    expect((await project().run("recruiter", ["list"])).stdout).to.match(/^far +elsewhere +idle/m);
    const { exitCode, stdout } = await project().run("recruiter", ["fire"]);
    expect(exitCode).to.equal(0);
    expect(stdout).to.contain("Fired 1 worker");
    expect((await far.end).exitCode).to.equal(0);
    expect(project().workers).to.deep.equal([]);
  });

  it("leaves a note for a worker that does not answer, and says so", async () => {
    const { layout } = project();
    fs.writeFileSync(
      layout.announcement("mute"),
      formatIni({
        worker: {
          id: "mute",
          host: "elsewhere",
          pid: "1",
          start: "1",
          space: "another",
          state: "idle",
          beat: "1",
        },
        end: { beat: "1" },
      }),
    );
    fs.mkdirSync(layout.desk("mute"));
    const { exitCode, stdout } = await project().run("recruiter", ["fire"]);
    expect(exitCode).to.equal(0);
    expect(stdout).to.contain("mute on elsewhere has been told, and has not answered yet.");
    expect(project().list(layout.desk("mute"))).to.deep.equal([".fire"]);
    fs.rmSync(layout.announcement("mute"));
  });

  it("returns the jobs of a dead worker to the queue", async () => {
    const job = await project().remoteJob("orphan");
    const [worker = ""] = await project().hire(1);
    const dispatcher = project().start("dispatcher");
    const pid = await job.started();
    dispatcher.kill("SIGINT");
    await dispatcher.end;
    kill(project().events("hired")[0]?.pid ?? 0, "SIGKILL");
    const { exitCode, stdout } = await project().run("recruiter", ["fire"]);
    expect(exitCode).to.equal(0);
    expect(stdout).to.contain(`${worker} was dead already; its jobs are back in the queue.`);
    await project().gone(pid);
    expect(project().files.queued).to.deep.equal(["orphan.ini"]);
    expect(project().list(project().layout.jobpod)).to.deep.equal(["retry"]);
    expect(project().workers).to.deep.equal([]);
    expect(project().events("lost", "orphan")).to.have.length(1);
    expect(project().events("worker-lost")).to.have.length(1);
  });

  it("reports the end of each worker as JSON", async () => {
    const [worker = ""] = await project().hire(1);
    const { stdout } = await project().run("recruiter", ["fire", "--json"]);
    const [fired] = JSON.parse(stdout) as { worker: string; end: string }[];
    expect(fired).to.include({ worker, end: "gone" });
  });
});
