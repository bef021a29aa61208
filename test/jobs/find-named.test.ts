import fs from "node:fs";
import { expect } from "chai";
import { findJobs, onePlaceEach } from "../../src/jobs/find.js";
import { findNamed } from "../../src/jobs/find-named.js";
import { projectPerTest } from "../rig/with-project.js";

describe("findNamed", () => {
  const project = projectPerTest();

  it("finds the same as findJobs in every directory: job files, scripts, elements and names used again", async () => {
    const { layout, store } = project().site;
    const write = (file: string) => fs.writeFileSync(file, "[control]\nexecutable = true\n");
    write(layout.queued("waits.ini"));
    write(layout.queued("script.sh"));
    write(layout.queued("twice.ini"));
    write(layout.ended("jobdone", "twice.ini"));
    write(layout.held("held.ini"));
    write(layout.toRetry("again.ini"));
    fs.mkdirSync(layout.desk("w"), { recursive: true });
    for (const file of ["runs.ini", "runs.ini.lock", "ahead"]) write(layout.onDesk("w", file));
    write(layout.ended("jobdone", "done.ini"));
    write(layout.ended("jobdone", "odd.ini.ini"));
    write(layout.ended("jobfailed", "failed.ini"));
    write(layout.ended("jobcancelled", "cancelled"));
    await project().run("fjord", ["submit", "--array", "1-9", "--name", "z", "--", "true"]);
    await project().run("fjord", ["cancel", "z_{3..4}"]);
    const names = [
      ...["waits", "script.sh", "twice", "held", "again", "runs", "ahead", "done", "odd.ini", "failed"],
      ...["cancelled", "z_2", "z_3", "z_10", "waits_1", "gone", "odd", "", ".", "a/b", "x".repeat(300)],
    ];
    const all = await onePlaceEach(store, await findJobs(project().site));
    const named = await onePlaceEach(store, await findNamed(project().site, new Set(names)));
    expect([...all.keys()]).to.include.members(names.slice(0, 11));
    expect([...named.keys()].sort()).to.deep.equal([...all.keys()].sort());
    for (const [job, place] of all) expect(named.get(job)).to.deep.equal(place);
    const few = await findNamed(project().site, new Set(["done"]));
    expect(few.map(({ job }) => job).sort()).to.deep.equal(["ahead", "done", "runs"]);
  });
});
