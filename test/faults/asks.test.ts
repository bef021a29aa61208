import fs from "node:fs";
import { expect } from "chai";
import { leaveAsk } from "../../src/spool/ask.js";
import { reclaimWorker } from "../../src/spool/reclaim.js";
import { benches } from "./harness.js";
import { Scene } from "./scene.js";

describe("what a lost worker was asked for, and had not done", () => {
  const bench = benches();
  afterEach(() => Scene.closeLedgers());

  it("is done when its jobs are taken back, but to what had ended", async () => {
    const scene = new Scene(bench());
    const { store, layout } = scene;
    await scene.deadDesk("w", ["running", "done", "waiting"]);
    for (const accepted of bench().accepted.splice(0))
      bench().accepted.push({ ...accepted, mayBeCancelled: true });
    const by = "ann@node7";
    for (const file of ["running.ini", "done.ini", "gone.ini"]) {
      await leaveAsk(store, layout, "w", { what: "cancel", file, by });
    }
    for (const what of ["hold", "cancel"] as const)
      await leaveAsk(store, layout, "w", { what, file: "running.ini", by });
    await leaveAsk(store, layout, "w", { what: "hold", file: "waiting.ini", by });
    fs.writeFileSync(layout.ask("w", "torn"), '{"what":"can');
    const reclaimed = await reclaimWorker(await scene.reclaimer(), "w", undefined, "test");
    expect(Object.fromEntries(reclaimed.map(({ file, to }) => [file, to]))).to.deep.equal({
      "running.ini": "jobcancelled",
      "done.ini": "jobdone",
      "waiting.ini": "jobheld",
    });
    expect(bench().list("jobcancelled")).to.deep.equal(["running.ini"]);
    expect(bench().list("jobheld")).to.deep.equal(["waiting.ini"]);
    expect(bench().list("jobqueue")).to.deep.equal([]);
    expect(bench().desks()).to.deep.equal(["retry"]);
    const [cancelled, ...more] = bench()
      .ledger()
      .filter((line) => line.event === "cancelled");
    expect(cancelled).to.include({ job: "running", attempt: 1 });
    expect(more).to.deep.equal([]);
    bench().judge({ witness: undefined });
  });
});
