import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { pino } from "pino";
import { readJob } from "../../src/job/job.js";
import { assureFile, type Claimed, finish, stampAt } from "../../src/spool/finish.js";
import { reclaimWorker } from "../../src/spool/reclaim.js";
import type { Store } from "../../src/store/store.js";
import { publish } from "../../src/worker/publish.js";
import { ended, Scene, started } from "./scene.js";
import { type WitnessedProject, witnessedProjectPerTest } from "./witnessed-project.js";

describe("a worker that is killed", () => {
  const project = witnessedProjectPerTest();
  afterEach(() => Scene.closeLedgers());

  it("leaves no checkpoint of a job that succeeded before the commit, and keeps those of other jobs", async () => {
    const scene = new Scene(project());
    await scene.deadDesk("w", ["running", "done", "waiting"]);
    for (const job of ["running", "done", "waiting", "doner"]) {
      const checkpoint = scene.layout.checkpointOf(job);
      fs.mkdirSync(checkpoint);
      fs.writeFileSync(path.join(checkpoint, "state"), "");
    }
    await reclaimWorker(await scene.reclaimer(), "w", undefined, "test");
    expect(project().files.done).to.deep.equal(["done.ini"]);
    expect(project().list(project().layout.jobcheckpoints).sort()).to.deep.equal([
      "doner",
      "running",
      "waiting",
    ]);
    project().judge({ witness: undefined });
  });
});

describe("a checkpoint that cannot be removed", () => {
  const project = witnessedProjectPerTest();
  afterEach(() => Scene.closeLedgers());

  for (const [what, times, left] of [
    ["at first is removed before the outcome is published", 2, []],
    ["at all stays, and the outcome is published", Number.POSITIVE_INFINITY, ["j"]],
  ] as const) {
    it(what, async () => {
      const scene = new Scene(project());
      const { layout } = scene;
      const store = Object.create(scene.store) as Store;
      let asked = 0;
      store.has = (file) =>
        file === layout.checkpointOf("j") && asked++ < times
          ? Promise.reject(Object.assign(new Error("EIO"), { code: "EIO" }))
          : scene.store.has(file);
      const sleep = () => Promise.resolve();
      Object.defineProperty(store, "clock", { value: { ...scene.store.clock, sleep } });
      await scene.worker("w");
      project().submit({ job: "j" }, project().line(0));
      const source = scene.claim("w", "j");
      fs.mkdirSync(layout.checkpointOf("j"));
      const { ino, mtimeMs, mode } = fs.statSync(source);
      const bytes = fs.readFileSync(source);
      const reading = readJob("j.ini", bytes, false);
      if (!reading.ok) throw new Error(reading.reason);
      const ledger = await scene.ledger("w");
      const log = pino({ level: "silent" });
      const now = new Date();
      await publish(
        { ...scene.site, store, ledger, log, mayBeFenced: () => false, stall: () => undefined },
        reading.job,
        { worker: "w", file: "j.ini", ino, mtimeMs, mode, bytes },
        {
          job: "j",
          attempt: 1,
          run: "w.1",
          stamp: (await stampAt(store, source)) ?? "",
          outcome: { kind: "succeeded" },
          start: now,
          end: now,
          seconds: 0,
          cpu: null,
          memory: null,
        },
      );
      expect(project().files.done).to.deep.equal(["j.ini"]);
      expect(project().list(project().layout.jobcheckpoints)).to.deep.equal(left);
    });
  }
});

describe("a job that asks for another run while a job with the same name waits on the retry desk", () => {
  const project = witnessedProjectPerTest();
  afterEach(() => Scene.closeLedgers());

  /**
   * Makes two jobs with one name. The first lies on the retry desk, because its name was taken in the queue. A worker
   * has claimed the second.
   */
  async function twoOfAName(b: WitnessedProject): Promise<{ scene: Scene; source: string }> {
    const scene = new Scene(b);
    await scene.worker("w");
    b.submit({ job: "j" }, b.line(0), "[params]\nn: 1\n");
    fs.renameSync(scene.layout.queued("j.ini"), scene.layout.toRetry("j.ini"));
    b.submit({ job: "j" }, b.line(0), "[params]\nn: 2\n");
    return { scene, source: scene.claim("w", "j") };
  }

  function judge(b: WitnessedProject): void {
    expect(b.read("jobqueue", "j.ini")).to.contain("n: 1");
    expect(b.read("jobpod", "retry", "j.ini")).to.contain("n: 2");
  }

  it("does not overwrite the other job", async () => {
    const { scene, source } = await twoOfAName(project());
    const { ino, mtimeMs, mode } = fs.statSync(source);
    const claimed: Claimed = {
      worker: "w",
      file: "j.ini",
      ino,
      mtimeMs,
      mode,
      bytes: fs.readFileSync(source),
    };
    const stamp = (await assureFile(scene.site, claimed)) ?? "";
    expect(await finish(scene.site, claimed, "retry", stamp)).to.equal("published");
    judge(project());
    // Repeat the requeue, as after a lost reply. The job is there already and stays there.
    expect(await finish(scene.site, claimed, "retry", stamp)).to.equal("published");
    judge(project());
  });

  it("does not overwrite the other job when a dispatcher completes the requeue for a dead worker", async () => {
    const { scene, source } = await twoOfAName(project());
    await scene.tell("w", started("w", "j", 1), ended("w", "j", 1, "retry", scene.stamp(source)));
    await reclaimWorker(await scene.reclaimer(), "w", undefined, "test");
    judge(project());
  });
});
