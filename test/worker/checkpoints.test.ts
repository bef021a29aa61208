import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { projectPerTest } from "../rig/with-project.js";

/** Command that continues where the earlier attempt stopped. The job has three parts. */
const SLICED =
  'mkdir -p "$FJORD_CHECKPOINT_DIR"; n=$(cat "$FJORD_CHECKPOINT_DIR/n" 2>/dev/null || echo 0); echo "from $n"; ' +
  'echo $((n + 1)) > "$FJORD_CHECKPOINT_DIR/n"; [ $n = 2 ] || exit ';

describe("a job that asks to run again", () => {
  const project = projectPerTest();
  const outcomes = (job: string) =>
    project()
      .events("ended", job)
      .sort((a, b) => a.attempt - b.attempt)
      .map(({ outcome }) => outcome);
  const requeued = { kind: "requeued", code: 75 };

  it("continues from its checkpoint any number of times, and no attempt counts as a failure", async () => {
    project().job("sliced", `${SLICED} 75;:`);
    await project().hire(2);
    const { exitCode, stdout } = await project().run("dispatcher");
    expect(exitCode).to.equal(0);
    expect(stdout).to.contain("1 succeeded, 0 failed");
    expect(outcomes("sliced")).to.deep.equal([requeued, requeued, { kind: "succeeded" }]);
    expect(project().log("sliced", 1)).to.equal("from 0\nfjord: exit code 75: to be run again\n");
    expect(project().log("sliced", 3)).to.equal("from 2\n");
    expect(
      project()
        .events("ended", "sliced")
        .map(({ to }) => to),
    ).to.have.members(["retry", "retry", "jobdone"]);
    expect(project().events("retry")).to.have.length(0);
    expect(project().list(project().layout.jobcheckpoints)).to.deep.equal([]);
  });

  it("waits a little before each attempt, so that it cannot loop at full speed", async () => {
    project().job("sliced", `${SLICED} 75;:`);
    await project().hire(1);
    await project().run("dispatcher");
    const starts = project().events("started", "sliced");
    const ends = project().events("ended", "sliced");
    for (const [index, { t }] of ends.slice(0, -1).entries()) {
      expect(Date.parse(starts[index + 1]?.t ?? "") - Date.parse(t)).to.be.at.least(90); // retry_backoff = 0.1 s
    }
  });

  it("chooses the exit code itself, or chooses none", async () => {
    project().job("names", `${SLICED} 42;:`, { requeue_exit: "42" });
    project().job("other", "exit 75;:", { requeue_exit: "42" });
    project().job("none", "exit 75;:", { requeue_exit: "none" });
    project().rename("script.sh", '#!/bin/sh\n[ "$FJORD_ATTEMPT" = 2 ] || exit 75\n', 0o755);
    await project().hire(1);
    await project().run("dispatcher");
    expect(project().ends).to.deep.equal({ done: ["names", "script.sh"], failed: ["none", "other"] });
    expect(outcomes("names")[0]).to.deep.equal({ kind: "requeued", code: 42 });
    expect(outcomes("other")).to.deep.equal([{ kind: "failed", code: 75 }]);
    expect(outcomes("script.sh")).to.deep.equal([requeued, { kind: "succeeded" }]);
  });

  it("keeps all its retries", async () => {
    project().job("mixed", 'exit $(echo 3 75 75 4 | cut -d" " -f$FJORD_ATTEMPT);:', { retries: "1" });
    await project().hire(1);
    const { stdout } = await project().run("dispatcher");
    expect(outcomes("mixed")).to.deep.equal([
      { kind: "failed", code: 3 },
      requeued,
      requeued,
      { kind: "failed", code: 4 },
    ]);
    expect(stdout).to.contain("mixed given up (exit code 4): all 2 attempts failed (retries: 1)");
  });

  it("may ask when its timeout is over", async () => {
    const slice = path.join(project().work, "slice.sh");
    fs.writeFileSync(
      slice,
      '#!/bin/sh\n[ "$FJORD_ATTEMPT" = 1 ] || exit 0\ntrap "exit 75" TERM\nwhile :; do sleep 0.05; done\n',
      { mode: 0o755 },
    );
    project().job("slice", slice, { timeout: "2" });
    await project().hire(1);
    expect((await project().run("dispatcher")).exitCode).to.equal(0);
    expect(outcomes("slice")).to.deep.equal([requeued, { kind: "succeeded" }]);
    expect(project().log("slice")).to.match(
      /^fjord: timed out after 2 s\nfjord: exit code 75: to be run again\n$/m,
    );
  });

  it("receives the signal inside quotes when its line says exec, and when it is submitted as a list of words", async () => {
    const code =
      "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(75)); time.sleep(1000)";
    const slice = path.join(project().work, "slice.py");
    fs.writeFileSync(slice, `import os, sys\nif os.environ["FJORD_ATTEMPT"] != "1": sys.exit(0)\n${code}\n`);
    project().job("quoted", `echo begin; exec python3 "${slice}"`, { timeout: "3" });
    await project().hire(2);
    await project().run("fjord", ["submit", "--name", "given", "--timeout", "3", "--", "python3", slice]);
    expect((await project().run("dispatcher")).exitCode).to.equal(0);
    for (const job of ["quoted", "given"]) {
      expect(outcomes(job), job).to.deep.equal([requeued, { kind: "succeeded" }]);
    }
  });

  it("is run again by the next dispatcher when the first is killed", async () => {
    const job = await project().remoteJob("orphan");
    await project().hire(1);
    const first = project().start("dispatcher");
    await job.started();
    first.kill("SIGKILL");
    await first.exit;
    job.exit(75);
    await project().until("the job waits to run again", () =>
      project().files.retrying.includes("orphan.ini"),
    );
    const second = project().start("dispatcher");
    await job.started(2);
    job.exit(0);
    expect((await second.end).exitCode).to.equal(0);
    expect(outcomes("orphan")).to.deep.equal([requeued, { kind: "succeeded" }]);
  });
});

describe("a checkpoint", () => {
  const project = projectPerTest();
  const checkpoint = (job: string) => path.join(project().layout.checkpointOf(job), "state");

  it("exists for the next attempt, on any worker and after any end of the first attempt", async () => {
    const job = await project().remoteJob("moves");
    const [first = ""] = await project().hire(1);
    project().start("dispatcher", ["--stay"]);
    await job.started();
    await job.tell('mkdir "$FJORD_CHECKPOINT_DIR"; echo "by $FJORD_WORKER" > "$FJORD_CHECKPOINT_DIR/state"');
    await project().run("recruiter", ["fire", "--now", "--wait", first]);
    await project().hire(1);
    await job.started(2);
    await job.tell('cat "$FJORD_CHECKPOINT_DIR/state"');
    expect(project().log("moves", 2)).to.equal(`by ${first}\n`);
    job.exit(0);
    await project().ended("moves");
    expect(fs.existsSync(project().layout.checkpointOf("moves"))).to.equal(false);
  });

  it("is kept when the job fails, for a later retry", async () => {
    const line =
      'mkdir "$FJORD_CHECKPOINT_DIR" 2>/dev/null || exit 0; : > "$FJORD_CHECKPOINT_DIR/state"; exit 1;:';
    project().job("fails", line);
    await project().hire(1);
    await project().run("dispatcher");
    expect(project().ends.failed).to.deep.equal(["fails"]);
    expect(fs.existsSync(checkpoint("fails"))).to.equal(true);
    await project().run("fjord", ["retry", "fails"]);
    await project().run("dispatcher");
    expect(project().ends).to.deep.equal({ done: ["fails"], failed: [] });
    expect(fs.existsSync(project().layout.checkpointOf("fails"))).to.equal(false);
  });

  it("may be a link to a directory on another disk, and then only the link is removed", async () => {
    const room = path.join(project().work, "room");
    fs.mkdirSync(room);
    fs.symlinkSync(room, project().layout.checkpointOf("linked"));
    project().job("linked", 'echo kept > "$FJORD_CHECKPOINT_DIR/state";:');
    await project().hire(1);
    await project().run("dispatcher");
    expect(fs.readFileSync(path.join(room, "state"), "utf8")).to.equal("kept\n");
    expect(project().list(project().layout.jobcheckpoints)).to.deep.equal([]);
  });
});
