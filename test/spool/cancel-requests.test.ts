import fs from "node:fs";
import { expect } from "chai";
import { leaveCancelRequest } from "../../src/spool/cancel-request.js";
import { reclaimWorker } from "../../src/spool/reclaim.js";
import { Scene } from "../faults/scene.js";
import { witnessedProjectPerTest } from "../faults/witnessed-project.js";

describe("a request to hold or cancel that a lost worker did not carry out", () => {
  const project = witnessedProjectPerTest();
  afterEach(() => Scene.closeLedgers());

  it("is carried out when the worker's jobs are reclaimed, except for jobs that had ended", async () => {
    const scene = new Scene(project());
    const { layout } = scene;
    await scene.deadDesk("w", ["running", "done", "waiting"]);
    for (const accepted of project().accepted.splice(0))
      project().accepted.push({ ...accepted, mayBeCancelled: true });
    const by = "ann@node7";
    for (const file of ["running.ini", "done.ini", "gone.ini"]) {
      await leaveCancelRequest(scene.site, "w", { what: "cancel", file, by });
    }
    for (const what of ["hold", "cancel"] as const)
      await leaveCancelRequest(scene.site, "w", { what, file: "running.ini", by });
    await leaveCancelRequest(scene.site, "w", { what: "hold", file: "waiting.ini", by });
    fs.writeFileSync(layout.cancelRequest("w", "torn"), '{"what":"can');
    const reclaimed = await reclaimWorker(await scene.reclaimer(), "w", undefined, "test");
    expect(Object.fromEntries(reclaimed.map(({ file, to }) => [file, to]))).to.deep.equal({
      "running.ini": "jobcancelled",
      "done.ini": "jobdone",
      "waiting.ini": "jobheld",
    });
    expect(project().files.cancelled).to.deep.equal(["running.ini"]);
    expect(project().files.held).to.deep.equal(["waiting.ini"]);
    expect(project().files.queued).to.deep.equal([]);
    expect(project().desks()).to.deep.equal(["retry"]);
    const [cancelled, ...more] = project().ledger.filter((line) => line.event === "cancelled");
    expect(cancelled).to.include({ job: "running", attempt: 1 });
    expect(more).to.deep.equal([]);
    project().judge({ witness: undefined });
  });
});
