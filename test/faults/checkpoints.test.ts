import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { reclaimWorker } from "../../src/spool/reclaim.js";
import { benches } from "./harness.js";
import { Scene } from "./scene.js";

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
