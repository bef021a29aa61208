import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { pino } from "pino";
import { readJob } from "../../src/job/job.js";
import { assureFile, type Claimed, finish } from "../../src/spool/finish.js";
import { reclaimWorker } from "../../src/spool/reclaim.js";
import type { Store } from "../../src/spool/store.js";
import { publish } from "../../src/worker/publish.js";
import { type Bench, benches } from "./harness.js";
import { ended, Scene, started } from "./scene.js";

describe("a worker that is killed", () => {
  const bench = benches();
  afterEach(() => Scene.closeLedgers());

  it("after its job succeeded and before the commit: the checkpoint goes with it, no other does", async () => {
    const scene = new Scene(bench());
    await scene.deadDesk("w", ["running", "done", "waiting"]);
    for (const job of ["running", "done", "waiting", "doner"]) {
      const checkpoint = scene.layout.checkpointOf(job);
      fs.mkdirSync(checkpoint);
      fs.writeFileSync(path.join(checkpoint, "state"), "");
    }
    await reclaimWorker(await scene.reclaimer(), "w", undefined, "test");
    expect(bench().list("jobdone")).to.deep.equal(["done.ini"]);
    expect(bench().list("jobcheckpoints").sort()).to.deep.equal(["doner", "running", "waiting"]);
    bench().judge({ witness: undefined });
  });
});

describe("a checkpoint that cannot be removed", () => {
  const bench = benches();
  afterEach(() => Scene.closeLedgers());

  for (const [what, times, left] of [
    ["at first: the outcome waits for it", 2, []],
    ["ever: it stays, and the outcome is published", Number.POSITIVE_INFINITY, ["j"]],
  ] as const) {
    it(what, async () => {
      const scene = new Scene(bench());
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
      bench().submit({ job: "j" }, bench().line(0));
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
        { store, layout, ledger, log, mayBeFenced: () => false, stall: () => undefined },
        reading.job,
        { worker: "w", file: "j.ini", ino, mtimeMs, mode, bytes },
        {
          job: "j",
          attempt: 1,
          outcome: { kind: "succeeded" },
          start: now,
          end: now,
          seconds: 0,
          cpu: null,
          memory: null,
        },
      );
      expect(bench().list("jobdone")).to.deep.equal(["j.ini"]);
      expect(bench().list("jobcheckpoints")).to.deep.equal(left);
    });
  }
});

describe("a job that is to be run again, while another of its name waits on the retry desk", () => {
  const bench = benches();
  afterEach(() => Scene.closeLedgers());

  /** The first waits there since its name was taken in the queue; the second has been claimed meanwhile. */
  async function twoOfAName(b: Bench): Promise<{ scene: Scene; source: string }> {
    const scene = new Scene(b);
    await scene.worker("w");
    b.submit({ job: "j" }, b.line(0), "[params]\nn: 1\n");
    fs.renameSync(scene.layout.queued("j.ini"), scene.layout.toRetry("j.ini"));
    b.submit({ job: "j" }, b.line(0), "[params]\nn: 2\n");
    return { scene, source: scene.claim("w", "j") };
  }

  function judge(b: Bench): void {
    expect(b.read("jobqueue", "j.ini")).to.contain("n: 1");
    expect(b.read("jobpod", "retry", "j.ini")).to.contain("n: 2");
  }

  it("does not overwrite it", async () => {
    const { scene, source } = await twoOfAName(bench());
    const { store, layout } = scene;
    const { ino, mtimeMs, mode } = fs.statSync(source);
    const claimed: Claimed = {
      worker: "w",
      file: "j.ini",
      ino,
      mtimeMs,
      mode,
      bytes: fs.readFileSync(source),
    };
    const stamp = (await assureFile(store, layout, claimed)) ?? "";
    expect(await finish(store, layout, claimed, "retry", stamp)).to.equal("published");
    judge(bench());
    // Done again, as after a reply that was lost: it is there, and stays.
    expect(await finish(store, layout, claimed, "retry", stamp)).to.equal("published");
    judge(bench());
  });

  it("does not overwrite it when that is completed for a dead worker", async () => {
    const { scene, source } = await twoOfAName(bench());
    await scene.tell("w", started("w", "j", 1), ended("w", "j", 1, "retry", scene.stamp(source)));
    await reclaimWorker(await scene.reclaimer(), "w", undefined, "test");
    judge(bench());
  });
});
