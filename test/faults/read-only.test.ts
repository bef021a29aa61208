import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { SEED } from "../rig/dice.js";
import { until } from "../rig/until.js";
import { makeReadOnly } from "./operator.js";
import { witnessedProjectPerTest } from "./witnessed-project.js";

describe("a project that is read-only for a while: work waits, and nothing is lost", function () {
  this.timeout(60_000);
  this.slow(20_000);
  before(() => console.log(`    seed ${SEED}`));
  const project = witnessedProjectPerTest();
  let makeWritable: (() => void) | undefined;
  afterEach(() => makeWritable?.());

  function closeDirectory(this: Mocha.Context, dir: string): void {
    makeWritable = makeReadOnly(dir);
    if (makeWritable === undefined) this.skip();
  }

  it("the dispatcher counts no job that it cannot move as ended or refused", async function () {
    for (let n = 0; n < 60; n++) project().submit({ job: `job${n}`, ends: "jobdone" }, project().line(0.05));
    const dispatcher = project().command("dispatcher", []);
    await until("the dispatcher dispatches", () => dispatcher.output.includes("Started on"));
    const worker = project().worker();
    await project().onDuty(1);
    await until("some jobs are done", () => project().files.done.length > 3);
    closeDirectory.call(this, project().path("jobqueue"));
    await until("the dispatcher finds the project read-only", () => dispatcher.output.includes("Trouble"));
    makeWritable?.();
    await project().untilEnded();
    expect(worker.isAlive).to.equal(true);
    await until("the dispatcher has ended", () => !dispatcher.isAlive);
    expect(dispatcher.output).to.include("60 succeeded").and.not.include("Refused");
    await project().closeDown();
  });

  it("a standby keeps running, and takes over from a dispatcher that is killed during that time", async function () {
    const first = project().dispatcher();
    await until("the first dispatcher dispatches", () => first.output.includes("Started on"));
    const standby = project().dispatcher();
    await until("the standby stands by", () => standby.output.includes("standing by"));
    closeDirectory.call(this, project().directory);
    first.kill();
    await first.exit;
    await delay(1000); // ten tries to take the dispatcher lock
    expect(standby.isAlive, standby.output).to.equal(true);
    makeWritable?.();
    project().worker();
    project().submit({ job: "late", ends: "jobdone" }, project().line(0));
    await project().untilEnded();
    expect(standby.output).to.include("Started on");
    await project().closeDown();
  });

  it("the checkpoint of a job that succeeded during that time is removed before its outcome is published", async function () {
    project().dispatcher();
    project().worker();
    await project().onDuty(1);
    const leaves = `mkdir "$FJORD_CHECKPOINT_DIR"; ${project().lineUntil("go")}`;
    project().submit({ job: "leaves", ends: "jobdone" }, leaves);
    await project().untilRunning("leaves");
    closeDirectory.call(this, project().directory);
    project().raise("go");
    await until("the job has ended and its worker cannot remove the checkpoint", () =>
      project().daemonLogs().includes("the checkpoint was not removed"),
    );
    makeWritable?.();
    await project().untilEnded();
    await project().closeDown();
  });
});
