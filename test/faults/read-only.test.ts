import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { benches, SEED, until } from "./harness.js";
import { makeReadOnly } from "./operator.js";

describe("a project that is read-only for a while: work waits, and nothing is lost", function () {
  this.timeout(60_000);
  this.slow(20_000);
  before(() => console.log(`    seed ${SEED}`));
  const bench = benches();
  let makeWritable: (() => void) | undefined;
  afterEach(() => makeWritable?.());

  function closeDirectory(this: Mocha.Context, dir: string): void {
    makeWritable = makeReadOnly(dir);
    if (makeWritable === undefined) this.skip();
  }

  it("the dispatcher does not take the jobs that it cannot move for ended or refused", async function () {
    for (let n = 0; n < 60; n++) bench().submit({ job: `job${n}`, ends: "jobdone" }, bench().line(0.05));
    const dispatcher = bench().command("dispatcher", []);
    await until("it dispatches", () => dispatcher.output.includes("Started on"));
    const worker = bench().worker();
    await bench().onDuty(1);
    await until("some are done", () => bench().list("jobdone").length > 3);
    closeDirectory.call(this, bench().path("jobqueue"));
    await until("somebody finds it so", () => dispatcher.output.includes("Trouble"));
    makeWritable?.();
    await bench().untilEnded(20);
    expect(worker.isAlive()).to.equal(true);
    await until("it comes to its end", () => !dispatcher.isAlive());
    expect(dispatcher.output).to.include("60 succeeded").and.not.include("Refused");
    await bench().closeDown();
  });

  it("a standby outlives it, and takes the seat of a dispatcher that is killed meanwhile", async function () {
    const first = bench().dispatcher();
    await until("it dispatches", () => first.output.includes("Started on"));
    const standby = bench().dispatcher();
    await until("the other stands by", () => standby.output.includes("standing by"));
    closeDirectory.call(this, bench().root);
    first.kill();
    await first.ended;
    await delay(1000); // ten tries to take the seat
    expect(standby.isAlive(), standby.output).to.equal(true);
    makeWritable?.();
    bench().worker();
    bench().submit({ job: "late", ends: "jobdone" }, bench().line(0));
    await bench().untilEnded(20);
    expect(standby.output).to.include("Started on");
    await bench().closeDown();
  });

  it("the checkpoint of a job that succeeded meanwhile is gone when its outcome counts", async function () {
    bench().dispatcher();
    bench().worker();
    await bench().onDuty(1);
    const leaves = `mkdir "$FJORD_CHECKPOINT_DIR"; ${bench().lineUntil("go")}`;
    bench().submit({ job: "leaves", ends: "jobdone" }, leaves);
    await bench().untilRunning("leaves");
    closeDirectory.call(this, bench().root);
    bench().raise("go");
    await until("it has run, and its worker found no way", () =>
      bench().daemonLogs().includes("its checkpoint was not removed"),
    );
    makeWritable?.();
    await bench().untilEnded(20);
    await bench().closeDown();
  });
});
