import { KillSweep, workerOf } from "./kill-sweep.js";
import { needsStrace } from "./strace.js";

describe("failpoints: a kill just before one exact call loses no job", () => {
  let sweep: KillSweep;

  before(function () {
    needsStrace(this, "4 failpoints");
  });
  beforeEach(() => {
    sweep = new KillSweep();
  });
  afterEach(async function () {
    await sweep.project.dispose(this.currentTest?.isFailed() ?? false);
  });

  it("in a worker", async () => {
    sweep.project.dispatcher();
    sweep.submitThree();
    const worker = workerOf(sweep);
    await sweep.run(sweep.sample(await sweep.record(worker), 4), worker);
  });
});
