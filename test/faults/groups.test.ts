import { expect } from "chai";
import { isAlive, processesWith } from "../rig/processes.js";
import { Family } from "./family.js";
import { QUICK, witnessedProjectPerTest } from "./witnessed-project.js";

describe("job groups: no process of a job outlives its worker", () => {
  const project = witnessedProjectPerTest({ ...QUICK, grace: "0.3 s" });

  it("a job that ignores SIGTERM is killed after the grace time when its worker is fired at once", async () => {
    const dispatcher = project().dispatcher();
    project().worker();
    await project().onDuty(1);
    project().submit({ job: "stubborn", ends: "jobdone" }, `trap '' TERM; ${project().lineUntil("go")}`);
    const run = await project().untilRunning("stubborn");
    expect((await project().run("recruiter", ["fire", "--now", "--wait"])).exitCode).to.equal(0);
    expect(isAlive(run)).to.equal(false);
    await project().until("the job is back in the queue", () =>
      project().files.queued.includes("stubborn.ini"),
    );
    project().raise("go");
    project().worker();
    await project().untilEnded();
    expect(dispatcher.isAlive).to.equal(true);
    await project().closeDown();
  });

  it("the guardian of a worker kills the whole family after kill -9 of the worker, without a dispatcher", async () => {
    const family = new Family(project());
    const dispatcher = project().dispatcher();
    const worker = project().worker();
    project().submit(
      { job: "parent", ends: "jobdone" },
      // `timeout` makes its own process group.
      family.line("go", "sleep 1000", "(trap '' HUP TERM; sleep 1000)", "timeout 1000 sleep 1000"),
    );
    const run = await project().untilRunning("parent");
    const children = await family.children(3);
    dispatcher.kill();
    await dispatcher.exit;
    worker.kill();
    await project().until("all processes of the job have ended", () => ![run, ...children].some(isAlive));
    await project().until(
      "the guardian has ended, too",
      () => processesWith(project().directory).length === 0,
    );
    project().raise("go");
    project().dispatcher();
    project().worker();
    await project().untilEnded();
    await project().closeDown();
  });
});
