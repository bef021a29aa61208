import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import type { Status } from "../../src/report/status.js";
import { binary } from "../rig/command.js";
import type { RemoteJob } from "../rig/remote-job.js";
import { projectPerTest } from "../rig/with-project.js";

describe("a job that reports its progress", () => {
  const project = projectPerTest();
  let job: RemoteJob;

  beforeEach(async () => {
    job = await project().remoteJob("train");
    await project().hire(1);
    project().start("dispatcher", ["--stay"]);
    await job.started();
    await project().until("the announcement names the job", async () => (await status()).workers[0]?.job);
  });

  async function status(): Promise<Status> {
    return JSON.parse((await project().run("fjord", ["status", "--json"])).stdout);
  }

  it("appears in fjord status and in recruiter list when the job writes a file", async () => {
    expect((await project().run("fjord", ["status"])).stdout).not.to.contain("PROGRESS");
    await job.tell('echo 40 > "$FJORD_PROGRESS"');
    expect((await status()).workers[0]?.progress).to.deep.equal({ done: 40, of: 100, text: "" });
    await job.tell('echo "3/7 epoch 3" > "$FJORD_PROGRESS"');
    for (const [command, word] of [
      ["fjord", "status"],
      ["recruiter", "list"],
    ] as const) {
      const { stdout } = await project().run(command, [word]);
      expect(stdout).to.match(/^WORKER +HOST +STATE +JOB +PROGRESS +SINCE$/m);
      expect(stdout).to.match(/ busy +train +42% \(3\/7\) epoch 3 +\d{4}-/m);
    }
    await job.tell('echo "4/7 epoch 4" >> "$FJORD_PROGRESS"');
    expect((await status()).workers[0]?.progress).to.include({ done: 4, text: "epoch 4" });
  });

  it("appears there when the job calls fjord progress", async () => {
    const fjord = `"${process.execPath}" "${binary("fjord")}"`;
    await job.tell(`${fjord} progress 3/7 "epoch 3"`);
    expect((await status()).workers[0]?.progress).to.deep.equal({ done: 3, of: 7, text: "epoch 3" });
    await job.tell(`${fjord} progress half || echo "exit code $?"`);
    expect(project().log("train"))
      .to.contain('"half" is not a progress report')
      .and.to.contain("exit code 2");
    expect((await status()).workers[0]?.progress).to.include({ done: 3 });
  });

  it("causes no failure when the text is not a valid progress", async () => {
    for (const order of [
      'mkfifo "$FJORD_PROGRESS"',
      'ln -s /dev/zero "$FJORD_PROGRESS"',
      'mkdir "$FJORD_PROGRESS"',
      ': > "$FJORD_PROGRESS"',
      'head -c 3000000 /dev/zero > "$FJORD_PROGRESS"',
    ]) {
      await job.tell(order);
      expect((await status()).workers[0], order).not.to.have.property("progress");
      await job.tell('rm -r "$FJORD_PROGRESS"');
    }
    await job.tell('{ head -c 3000000 /dev/zero; echo; echo 7; } > "$FJORD_PROGRESS"');
    expect((await status()).workers[0]?.progress).to.include({ done: 7 });
  });

  it("reports only for its own attempt", async () => {
    await job.tell('echo 40 > "$FJORD_PROGRESS"');
    job.exit(0);
    await project().ended("train");
    expect(fs.readFileSync(project().layout.progressOf("train", 1), "utf8")).to.equal("40\n");
    const next = await project().remoteJob("next");
    await next.started();
    await project().until(
      "the announcement names the job",
      async () => (await status()).workers[0]?.job?.name === "next",
    );
    expect((await status()).workers[0]).not.to.have.property("progress");
    next.exit(0);
    await project().ended("next");
  });
});

describe("fjord progress", () => {
  const project = projectPerTest();

  it("says so when it does not run in a job", async () => {
    const { exitCode, stderr } = await project().run("fjord", ["progress", "40"]);
    expect(exitCode).to.equal(2);
    expect(stderr).to.contain("this is not inside a job");
  });

  it("writes one line into the file that it is given", async () => {
    const file = path.join(project().work, "told");
    await project().run("fjord", ["progress", "40", "line\nbreak", "more"], {
      env: { FJORD_PROGRESS: file },
    });
    expect(fs.readFileSync(file, "utf8")).to.equal("40 line break more\n");
  });
});
