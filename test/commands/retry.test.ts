import fs from "node:fs";
import { expect } from "chai";
import type { Retried } from "../../src/jobs/retry.js";
import { projectPerTest } from "../rig/with-project.js";

describe("fjord retry", () => {
  const project = projectPerTest();
  const retry = (...args: string[]) => project().run("fjord", ["retry", ...args]);
  const queue = () => project().files.queued;

  function put(room: "jobdone" | "jobfailed" | "jobcancelled", ...names: string[]): void {
    for (const name of names) {
      fs.writeFileSync(project().layout.ended(room, `${name}.ini`), "[control]\nexecutable = true\n");
    }
  }

  it("puts failed jobs back into the queue by name, pattern and range", async () => {
    put("jobfailed", "a", "run1", "run2", "run3", "x1", "x2");
    const { exitCode, stdout } = await retry("a", "run{1..2}", "x*");
    expect(exitCode).to.equal(0);
    expect(stdout).to.equal("[fjord] Back into the queue: 5 jobs: a, run1, run2, x1, x2.\n");
    expect(queue()).to.deep.equal(["a.ini", "run1.ini", "run2.ini", "x1.ini", "x2.ini"]);
    expect(project().ends.failed).to.deep.equal(["run3"]);
  });

  it("puts all failed jobs back, or only says which ones with --dry-run", async () => {
    put("jobfailed", ..."abcdefg");
    put("jobdone", "done");
    const would = await retry("--failed", "--dry-run");
    expect(would).to.include({
      exitCode: 0,
      stdout: "[fjord] Would go back into the queue: 7 jobs: a, b, c, d, e and 2 more.\n",
    });
    expect(queue()).to.deep.equal([]);
    expect((await retry("--failed")).stdout).to.contain("Back into the queue: 7 jobs: ");
    expect(queue()).to.have.length(7);
    expect(await retry("--failed")).to.include({
      exitCode: 0,
      stdout: "[fjord] Back into the queue: 0 jobs.\n",
    });
  });

  it("leaves jobs that have not failed as they are, and says so", async () => {
    put("jobdone", "done");
    put("jobfailed", "failed");
    put("jobcancelled", "cancelled");
    project().job("waits", "true");
    const { exitCode, stdout } = await retry("done", "failed", "cancelled", "waits");
    expect(exitCode).to.equal(0);
    expect(stdout).to.equal(
      "[fjord] Back into the queue: 2 jobs: failed, cancelled.\n" +
        "[fjord] done has not failed (done): left as it is.\n" +
        "[fjord] waits has not failed (waiting): left as it is.\n",
    );
    expect((await retry("done")).exitCode).to.equal(0);
    const { stdout: json } = await retry("done", "--json");
    expect(JSON.parse(json) as Retried[]).to.deep.equal([{ job: "done", state: "done", end: "unlike" }]);
  });

  it("reports many jobs that have not failed in one line, and puts no job back when one name is unknown", async () => {
    put("jobdone", ..."abcdef");
    project().job("waits", "true");
    expect((await retry("*")).stdout).to.equal(
      "[fjord] Back into the queue: 0 jobs.\n" +
        "[fjord] Left as they are, because they have not failed (done): 6 jobs: a, b, c, d, e and 1 more.\n" +
        "[fjord] Left as they are, because they have not failed (waiting): 1 job: waits.\n",
    );
    put("jobfailed", "failed");
    const { exitCode, stderr } = await retry("failed", "nosuch");
    expect(exitCode).to.equal(3);
    expect(stderr).to.contain('There is no job "nosuch". Nothing was put back.\n');
    expect(project().ends.failed).to.deep.equal(["failed"]);
  });

  it("distinguishes lost jobs from failed ones, and starts their attempts at 1 again", async () => {
    project().job("failed", "exit 1;:", { retries: "1" });
    await project().hire(1);
    await project().run("dispatcher");
    put("jobfailed", "lost");
    const lost = {
      v: 1,
      t: "2026-01-01",
      event: "lost",
      job: "lost",
      attempt: 1,
      worker: "w",
      reason: "dead",
      to: "jobfailed",
    };
    fs.writeFileSync(project().layout.ledgerOf("w"), `${JSON.stringify(lost)}\n`);
    expect((await retry("--lost")).stdout).to.equal("[fjord] Back into the queue: 1 job: lost.\n");
    expect((await retry("failed")).stdout).to.equal("[fjord] Back into the queue: 1 job: failed.\n");
    await project().run("dispatcher");
    expect(
      project()
        .events("ended", "failed")
        .map(({ to }) => to),
    ).to.deep.equal([...["retry", "retry", "retry", "retry"]]);
    expect(project().ends).to.deep.equal({ done: ["lost"], failed: ["failed"] });
  });

  it("requires the names of jobs", async () => {
    const { exitCode, stderr } = await retry();
    expect(exitCode).to.equal(2);
    expect(stderr).to.contain("Say which jobs.");
  });
});
