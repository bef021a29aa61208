import fs from "node:fs";
import { expect } from "chai";
import { readHistory } from "../../src/report/attempts.js";
import { findJobs, onePlaceEach } from "../../src/report/jobs.js";
import { recordOf } from "../../src/report/record.js";
import { LocalStore } from "../../src/spool/local-store.js";
import { sharedProject } from "../rig/with-project.js";

const store = new LocalStore();

describe("where a job is", () => {
  const project = sharedProject();
  const put = (path: string) => fs.writeFileSync(path, "[control]\nexecutable = true\n");
  const placeOf = async (job: string) =>
    (await onePlaceEach(store, await findJobs(store, project().layout))).get(job);

  it("is told by the room that its file is in, and by the lock beside it", async () => {
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
    const places = await findJobs(store, layout);
    expect(places.map(({ job, state, worker }) => [job, state, worker])).to.have.deep.members([
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
    expect(await findJobs(store, layout, new Set(["retrying"]))).to.have.length(1);
  });

  for (const [earlier, later] of [
    ["jobdone", "jobfailed"],
    ["jobfailed", "jobdone"],
  ] as const) {
    it(`is the last end when its name was used again: first ${earlier}, then ${later}`, async () => {
      const { layout } = project();
      put(layout.ended(earlier, "twice.ini"));
      const { ctimeMs } = fs.statSync(layout.ended(earlier, "twice.ini"));
      await project().until("the file system's clock has moved on", () => {
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

describe("what the ledgers tell of jobs", () => {
  const project = sharedProject();

  function ledger(actor: string, ...events: object[]): void {
    const lines = events.map((event, i) => ({ v: 1, t: `2026-01-01T00:00:0${i}.000Z`, ...event }));
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    fs.writeFileSync(project().layout.ledgerOf(actor), text);
  }
  const started = (job: string, attempt: number, worker: string) => ({
    event: "started",
    job,
    attempt,
    worker,
  });
  const ended = (job: string, attempt: number, worker: string, outcome: object, to: string) => ({
    ...{ event: "ended", job, attempt, worker, host: `${worker}-host`, outcome, to, stamp: "" },
    ...{
      start: "2026-01-01T00:00:00.000Z",
      end: "2026-01-01T00:00:02.000Z",
      seconds: 2,
      cpu: null,
      memory: 7,
    },
  });

  before(() => {
    // Its end is read before the start of the attempt, and before it was declared lost.
    ledger("a", ended("zombie", 1, "a", { kind: "succeeded" }, "jobdone"), started("open", 1, "a"));
    ledger(
      "b",
      { event: "lost", job: "zombie", attempt: 1, worker: "a", reason: "dead", to: "jobqueue" },
      started("zombie", 2, "b"),
      ended("zombie", 2, "b", { kind: "failed", code: 3 }, "jobfailed"),
    );
    ledger(
      "c",
      { event: "refused", job: "bad", file: "bad.ini", reason: "first" },
      { event: "refused", job: "bad", file: "bad.ini", reason: "last" },
    );
    fs.appendFileSync(project().layout.ledgerOf("c"), '{"v":1,"t":"2026');
  });

  it("is every attempt in the order of their numbers, a lost one being lost whatever its worker says", async () => {
    const { attempts } = await readHistory(store, project().layout);
    expect(
      attempts.get("zombie")?.map(({ attempt, worker, outcome, to }) => [attempt, worker, outcome, to]),
    ).to.deep.equal([
      [1, "a", { kind: "lost" }, "jobqueue"],
      [2, "b", { kind: "failed", code: 3 }, "jobfailed"],
    ]);
    expect(attempts.get("zombie")?.[1]).to.include({ host: "b-host", seconds: 2, memory: 7, cpu: null });
    expect(attempts.get("open")).to.deep.equal([
      {
        job: "open",
        attempt: 1,
        worker: "a",
        start: "2026-01-01T00:00:01.000Z",
        log: project().layout.attemptLog("open", 1),
      },
    ]);
  });

  it("is the last reason of a refusal, while the job has failed and has not been tried since", async () => {
    const history = await readHistory(store, project().layout);
    expect(recordOf({ job: "bad", state: "failed" }, history)).to.include({ refused: "last" });
    expect(recordOf({ job: "bad", state: "waiting" }, history)).not.to.have.property("refused");
    const tried = { ...history, attempts: new Map([["bad", history.attempts.get("zombie") ?? []]]) };
    expect(recordOf({ job: "bad", state: "failed" }, tried)).to.have.property("refused");
    const refusals = new Map([["bad", { t: "2025-01-01T00:00:00.000Z", reason: "long ago" }]]);
    expect(recordOf({ job: "bad", state: "failed" }, { ...tried, refusals })).not.to.have.property("refused");
  });

  it("is only of those that are asked for", async () => {
    const { attempts, refusals } = await readHistory(store, project().layout, (job) => job === "open");
    expect([...attempts.keys(), ...refusals.keys()]).to.deep.equal(["open"]);
  });
});
