import { expect } from "chai";
import { isAlive } from "../rig/processes.js";
import { stop, wake } from "./stopped.js";
import { witnessedProjectPerTest } from "./witnessed-project.js";

describe("a zombie", () => {
  const project = witnessedProjectPerTest();

  it("that was stopped for longer than its lease publishes nothing, and another worker's outcome counts", async () => {
    const dispatcher = project().dispatcher();
    const stopped = project().worker();
    await project().onDuty(1);
    const [zombie = ""] = project().workers;
    project().submit({ job: "long", ends: "jobdone" }, project().lineUntil("go"));
    const run = await project().untilRunning("long");
    await stop(stopped);
    const declared = () => project().ledger.some((line) => line.event === "lost" && line.job === "long");
    await project().until("the worker is declared lost", declared);
    expect(isAlive(run), "the job of the lost worker still runs").to.equal(false);
    project().worker();
    await project().untilRunning("long");
    project().raise("go");
    await project().untilEnded();
    wake(stopped);
    await project().until(
      "the worker is on duty under a new id",
      () => project().workers.length === 2 && !project().workers.includes(zombie),
    );
    const words = project().ledger.filter((line) => "worker" in line && line.worker === zombie);
    expect(words.map((line) => line.event)).to.include("left");
    expect(words.filter((line) => line.event === "ended")).to.deep.equal([]);
    expect(stopped.isAlive).to.equal(true);
    expect(dispatcher.isAlive).to.equal(true);
    await project().closeDown();
  });
});
