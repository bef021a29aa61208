import fs from "node:fs";
import { projectPerTest } from "../rig/with-project.js";

/** The beat makes a roll call come later than the end of any wait in these tests. */
const SETTINGS = "[fjord]\nstore = network\nbeat = 60 s\npoll = 0.2 s\nsettle = 0.2 s\n";
/** More jobs than one desk holds between two looks. */
const JOBS = 8;

describe("a store without notifications", () => {
  const project = projectPerTest(SETTINGS);

  it("gives a worker with an empty desk the next jobs long before the next roll call", async () => {
    await project().hire(1);
    for (let n = 0; n < JOBS; n++) project().job(`job${n}`, "true");
    const dispatcher = project().start("dispatcher");
    const done = () => project().files.done.length;
    await project().until("all jobs are done", () => done() === JOBS);
    await dispatcher.end;
  });

  it("hands out a job that arrives after the last job has ended, before the settle time is over", async () => {
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
