import fs from "node:fs";
import { expect } from "chai";
import { FjordError, Project, readParam, Sweep } from "../../src/index.js";
import { projectPerTest } from "../rig/with-project.js";

describe("a program that uses a project", () => {
  const project = projectPerTest();

  it("creates jobs from a command, submits all of them or none, waits for them, and repairs them", async () => {
    const library = await Project.open(project().directory, project().env);
    const sweep = new Sweep([readParam("n=1..3")], false);
    const drafts = await library.draft({
      command: ["test", "{n}", "=", "2"],
      name: "t",
      sweep,
      workdir: "/",
    });
    expect(drafts.map(({ job, runs }) => [job, runs])).to.deep.equal([
      ["t_1", "test 1 = 2"],
      ["t_2", "test 2 = 2"],
      ["t_3", "test 3 = 2"],
    ]);
    const steps: number[] = [];
    expect(await library.submitDrafts(drafts, { onProgress: (done) => steps.push(done) })).to.deep.equal([]);
    expect(steps).to.deep.equal([1, 2, 3]);
    const refused = await library.submitDrafts(drafts).catch((error) => error);
    expect(refused).to.be.instanceOf(FjordError).with.property("code", "job-refused");
    await project().hire(1);
    const told: string[] = [];
    const waiting = library.wait(["t_1", "t_2", "t_3"], {
      onEnd: ({ job, state }) => told.push(`${job} ${state}`),
    });
    await project().run("dispatcher");
    expect(await waiting).to.include({ end: "all-ended" });
    expect(told.sort()).to.deep.equal(["t_1 failed", "t_2 done", "t_3 failed"]);
    const failed = (await library.records(["t_*"])).filter(({ state }) => state === "failed");
    expect(failed.map(({ attempts }) => attempts.at(-1)?.outcome)).to.deep.equal([
      { kind: "failed", code: 1 },
      { kind: "failed", code: 1 },
    ]);
    expect(await library.retry(failed)).to.deep.equal([
      { job: "t_1", state: "failed", end: "queued" },
      { job: "t_3", state: "failed", end: "queued" },
    ]);
    expect((await library.jobs(["t_{1..3}"])).map(({ state }) => state)).to.deep.equal([
      "waiting",
      "done",
      "waiting",
    ]);
  });

  it("gets an error when it asks for nothing, or for too much", async () => {
    const library = await Project.open(project().directory, project().env);
    for (const wanted of [{}, { command: ["a"], files: ["b"] }, { command: ["a"], exe: "b" }]) {
      const refused = await library.draft(wanted).catch((error) => error);
      expect(refused).to.be.instanceOf(FjordError).with.property("code", "bad-usage");
    }
    expect(fs.readdirSync(project().layout.jobqueue)).to.deep.equal([]);
  });
});
