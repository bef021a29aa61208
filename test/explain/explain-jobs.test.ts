import fs from "node:fs";
import { expect } from "chai";
import { explainJobs } from "../../src/explain/explain-jobs.js";
import { findJobs } from "../../src/jobs/find.js";
import type { Store } from "../../src/store/store.js";
import { sitePerTest } from "../rig/site.js";

describe("explain of many jobs", () => {
  const site = sitePerTest();

  /** Number of directory listings that explaining these jobs takes. */
  async function listings(jobs: ReadonlySet<string>, directory: string): Promise<number> {
    let count = 0;
    const store = new Proxy<Store>(site().store, {
      get(target, name) {
        if (name !== "list") return Reflect.get(target, name);
        return (dir: string) => {
          if (dir === directory) count++;
          return target.list(dir);
        };
      },
    });
    const places = (await findJobs(site())).filter(({ job }) => jobs.has(job));
    expect(places.length).to.equal(jobs.size);
    const explained = await explainJobs({ ...site(), store }, places, undefined);
    for (const { reasons } of explained) expect(reasons[0]?.text).to.equal("It waits for A, which is held.");
    return count;
  }

  it("reads a job only once when all of them wait for it", async () => {
    const { layout } = site();
    fs.mkdirSync(layout.array("A"));
    fs.writeFileSync(layout.arrayFile("A"), "[control]\nexecutable = true\n[array]\nrange = 1-2\n");
    fs.writeFileSync(layout.ended("jobdone", "A_1.ini"), "[control]\nexecutable = true\n");
    fs.writeFileSync(layout.held("A_2.ini"), "[control]\nexecutable = true\n");
    const waiting = ["b", "c", "d", "e"];
    for (const job of waiting) {
      fs.writeFileSync(layout.queued(`${job}.ini`), "[control]\nexecutable = true\nafter = A\n");
    }
    const done = layout.end("jobdone");
    expect(await listings(new Set(waiting), done)).to.equal(await listings(new Set(["b"]), done));
  });
});
