import { projectPerTest } from "../rig/with-project.js";

/** A roll call is further away than anything is waited for. */
const SETTINGS = "[fjord]\nstore = network\nbeat = 60 s\npoll = 0.2 s\nsettle = 0.2 s\n";
/** More than lie on a desk before it has been looked at again. */
const JOBS = 8;

describe("where no event tells of anything", () => {
  const project = projectPerTest(SETTINGS);

  it("a worker that has emptied its desk gets the next jobs, long before the roll is called", async () => {
    await project().hire(1);
    for (let n = 0; n < JOBS; n++) project().job(`job${n}`, "true");
    const dispatcher = project().start("dispatcher");
    const done = () => project().list(project().layout.end("jobdone")).length;
    await project().until("all jobs are done", () => done() === JOBS);
    await dispatcher.end;
  });
});
