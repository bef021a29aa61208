import fs from "node:fs";
import { expect } from "chai";
import { findJobs, onePlaceEach } from "../../src/jobs/find.js";
import { workerOf } from "../../src/jobs/places.js";
import { LocalStore } from "../../src/store/local-store.js";
import { sharedProject } from "../rig/with-project.js";

const store = new LocalStore();

describe("the place of a job", () => {
  const project = sharedProject();
  const put = (path: string) => fs.writeFileSync(path, "[control]\nexecutable = true\n");
  const placeOf = async (job: string) => (await onePlaceEach(store, await findJobs(project().site))).get(job);

  it("follows from the directory of its file, and from the lock beside the file", async () => {
    const { layout } = project();
    fs.mkdirSync(layout.desk("w"));
    put(layout.queued("queued.ini"));
    put(layout.queued("script.sh"));
    put(layout.queued(".hidden.ini"));
    put(layout.onDesk("w", "on desk.ini"));
    put(layout.onDesk("w", "running.ini"));
    fs.mkdirSync(`${layout.onDesk("w", "running.ini")}.lock`);
    put(layout.toRetry("retrying.ini"));
    put(layout.ended("jobdone", "done.ini"));
    put(layout.ended("jobfailed", "failed.ini"));
    put(layout.ended("jobcancelled", "cancelled.ini"));
    const places = await findJobs(project().site);
    expect(places.map((place) => [place.job, place.state, workerOf(place)])).to.have.deep.members([
      ["queued", "waiting", undefined],
      ["script.sh", "waiting", undefined],
      ["on desk", "waiting", "w"],
      ["running", "running", "w"],
      ["retrying", "retrying", undefined],
      ["done", "done", undefined],
      ["failed", "failed", undefined],
      ["cancelled", "cancelled", undefined],
    ]);
    for (const { path } of places) expect(fs.existsSync(path)).to.equal(true);
    expect(await findJobs(project().site, new Set(["retrying"]))).to.have.length(1);
  });

  for (const [earlier, later] of [
    ["jobdone", "jobfailed"],
    ["jobfailed", "jobdone"],
  ] as const) {
    it(`is the last end when its name was used again: first ${earlier}, then ${later}`, async () => {
      const { layout } = project();
      put(layout.ended(earlier, "twice.ini"));
      const { ctimeMs } = fs.statSync(layout.ended(earlier, "twice.ini"));
      await project().until("the clock of the file system has advanced", () => {
        put(layout.ended(later, "twice.ini"));
        return fs.statSync(layout.ended(later, "twice.ini")).ctimeMs > ctimeMs;
      });
      expect((await placeOf("twice"))?.state).to.equal(later === "jobdone" ? "done" : "failed");
      put(layout.queued("twice.ini"));
      expect((await placeOf("twice"))?.state).to.equal("waiting");
      fs.unlinkSync(layout.queued("twice.ini"));
    });
  }
});
