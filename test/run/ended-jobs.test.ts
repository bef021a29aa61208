import fs from "node:fs";
import { expect } from "chai";
import { Ledger } from "../../src/ledger/ledger.js";
import type { LedgerEvent } from "../../src/ledger/line.js";
import { Project } from "../../src/library/project.js";
import { type EndedJob, EndedJobs } from "../../src/run/ended-jobs.js";
import { stampOf } from "../../src/store/stamp.js";
import { projectPerTest } from "../rig/with-project.js";

describe("the end of a job in fjord run", () => {
  const project = projectPerTest();

  it("is the outcome that was published, and not one that only a ledger announces", async () => {
    const { layout } = project();
    const opened = await Project.open(project().directory, project().env);
    const told: EndedJob[] = [];
    const ended = new EndedJobs(opened, (end) => told.push(end));
    const ledger = await Ledger.open(opened.store, layout.ledgerOf("w"), false);
    project().job("a", "true");
    const stamp = stampOf(await opened.store.facts(layout.queued("a.ini")));
    const end = (attempt: number, to: "jobdone" | "jobfailed"): LedgerEvent => ({
      ...{ event: "ended", job: "a", attempt, run: `w.${attempt}`, worker: "w", host: "h", to, stamp },
      ...{ start: "", end: "", seconds: 1, cpu: null, memory: null },
      outcome: to === "jobdone" ? { kind: "succeeded" } : { kind: "failed", code: 1 },
    });

    // The file of an earlier job with the same name lies at the path where the outcome would be published.
    fs.writeFileSync(layout.ended("jobdone", "a.ini"), "");
    await ledger.append(end(1, "jobdone"));
    await ended.look();
    await ledger.append({ event: "discarded", job: "a", attempt: 1, run: "w.1", worker: "w", reason: "" });
    await ended.look();
    expect(told).to.deep.equal([]);

    // The ledger reports the end of attempt 2 only after attempt 3, which was declared lost.
    const lost = { job: "a", attempt: 3, run: "w.3", worker: "w", reason: "", to: "jobqueue" } as const;
    await ledger.append({ event: "lost", ...lost });
    await ledger.append(end(3, "jobfailed"));
    await ledger.append(end(2, "jobfailed"));
    await ended.look();
    expect(told).to.deep.equal([]);
    fs.renameSync(layout.queued("a.ini"), layout.ended("jobfailed", "a.ini"));
    await ended.look();
    await ended.look();
    expect(told).to.deep.equal([{ job: "a", attempt: 2, state: "failed", log: layout.attemptLog("a", 2) }]);
    await ledger.close();
  });

  it("is a failure when the job lost its last worker, even if that worker reports its own end later", async () => {
    const { layout } = project();
    const opened = await Project.open(project().directory, project().env);
    const told: EndedJob[] = [];
    const ended = new EndedJobs(opened, (end) => told.push(end));
    const ledger = await Ledger.open(opened.store, layout.ledgerOf("w"), false);
    project().job("a", "true");
    const stamp = stampOf(await opened.store.facts(layout.queued("a.ini")));
    const run = { job: "a", attempt: 1, run: "w.1", worker: "w", reason: "" };
    await ledger.append({ event: "lost", ...run, to: "jobfailed", stamp });
    await ledger.append({ event: "discarded", ...run });
    await ledger.close();
    await ended.look();
    expect(told).to.deep.equal([]);
    fs.renameSync(layout.queued("a.ini"), layout.ended("jobfailed", "a.ini"));
    await ended.look();
    expect(told).to.deep.equal([{ job: "a", attempt: 1, state: "failed", log: layout.attemptLog("a", 1) }]);
  });
});
