import fs from "node:fs";
import { expect } from "chai";
import type { JobPlace } from "../../src/jobs/places.js";
import { lastRecordOf, recordOf } from "../../src/jobs/record.js";
import { readHistory } from "../../src/ledger/attempts.js";
import { LocalStore } from "../../src/store/local-store.js";
import { sharedProject } from "../rig/with-project.js";

const store = new LocalStore();

describe("the history of jobs in the ledgers", () => {
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
    // The zombie's end is read before its start, and before the line that declares it lost.
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

  it("has every attempt in the order of the numbers, and a lost attempt stays lost even if its worker records an outcome", async () => {
    const { attempts } = await readHistory(project().site);
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
        run: "1",
        life: "1",
        worker: "a",
        start: "2026-01-01T00:00:01.000Z",
        log: project().layout.attemptLog("open", 1),
      },
    ]);
  });

  it("has the last reason for a refusal as long as the job is in jobfailed and has not been tried again", async () => {
    const history = await readHistory(project().site);
    expect(lastRecordOf({ job: "bad", state: "failed" }, history)).to.include({ refused: "last" });
    expect(lastRecordOf({ job: "bad", state: "waiting" }, history)).not.to.have.property("refused");
    const tried = { ...history, attempts: new Map([["bad", history.attempts.get("zombie") ?? []]]) };
    expect(lastRecordOf({ job: "bad", state: "failed" }, tried)).to.have.property("refused");
    const refusals = new Map([["bad", { t: "2025-01-01T00:00:00.000Z", reason: "long ago" }]]);
    expect(lastRecordOf({ job: "bad", state: "failed" }, { ...tried, refusals })).not.to.have.property(
      "refused",
    );
  });

  it("does not mix an earlier job with a later job with the same name that was refused", async () => {
    const { layout } = project();
    const path = layout.ended("jobfailed", "again.ini");
    fs.writeFileSync(path, "nonsense");
    const failed = ended("again", 1, "d", { kind: "failed", code: 1 }, "jobfailed");
    ledger(
      "d",
      { ...failed, stamp: "7:1:1:1" },
      { event: "refused", job: "again", file: "again.ini", reason: "bad" },
    );
    const history = await readHistory(project().site);
    const place: JobPlace = { kind: "job", job: "again", file: "again.ini", state: "failed", path };
    const { refused, attempts } = await recordOf(store, place, history);
    expect({ refused, attempts }).to.deep.equal({ refused: "bad", attempts: [] });
    fs.rmSync(path);
    fs.rmSync(layout.ledgerOf("d"));
  });

  it("has only the jobs that the reader asks for", async () => {
    const { attempts, refusals } = await readHistory(project().site, (job) => job === "open");
    expect([...attempts.keys(), ...refusals.keys()]).to.deep.equal(["open"]);
  });
});
