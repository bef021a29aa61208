import fs from "node:fs";
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

  it("a job that is dropped when all have ended is handed out before that is certain", async () => {
    const settings = fs.readFileSync(project().layout.settings, "utf8");
    fs.writeFileSync(project().layout.settings, settings.replace("settle = 0.2 s", "settle = 60 s"));
    await project().hire(1);
    const dispatcher = project().start("dispatcher", ["--stay"]);
    const done = (job: string) => fs.existsSync(project().layout.ended("jobdone", `${job}.ini`));
    for (const job of ["first", "second", "third"]) {
      await project().run("fjord", ["submit", "--name", job, "--", "true"]);
      await project().until(`${job} is done`, () => done(job));
    }
    dispatcher.kill("SIGINT");
    await dispatcher.end;
  });
});
