import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import type { Layout } from "../../src/project/layout.js";
import { readFailures } from "../../src/report/failures.js";
import { LocalStore } from "../../src/store/local-store.js";
import { sitePerTest } from "../rig/site.js";

/** A line of a ledger, with the second in which the event happened. */
interface Noted {
  readonly second: number;
  readonly [key: string]: unknown;
}

/** A store that records its calls. */
class WatchedStore extends LocalStore {
  readonly calls: string[] = [];
  override list(dir: string) {
    this.calls.push(`list ${path.basename(dir)}`);
    return super.list(dir);
  }
  override facts(file: string) {
    this.calls.push(`facts ${path.basename(file)}`);
    return super.facts(file);
  }
  override tail(file: string, limit: number) {
    this.calls.push(`tail ${path.basename(file)}`);
    return super.tail(file, limit);
  }
}

describe("the last few failures", () => {
  const site = sitePerTest();
  let layout: Layout;
  let store: WatchedStore;

  beforeEach(() => {
    layout = site().layout;
    store = new WatchedStore();
  });

  const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();

  /** Writes a ledger whose file has the time of its last event. */
  const ledger = (actor: string, ...events: Noted[]) => {
    const lines = events.map(({ second, ...event }) => JSON.stringify({ v: 1, t: at(second), ...event }));
    fs.writeFileSync(layout.ledgerOf(actor), lines.map((line) => `${line}\n`).join(""));
    const last = new Date(at(events.at(-1)?.second ?? 0));
    fs.utimesSync(layout.ledgerOf(actor), last, last);
  };
  const ended = (second: number, job: string, to = "jobfailed", attempt = 1) => ({
    second,
    event: "ended",
    job,
    attempt,
    outcome: to === "jobdone" ? { kind: "succeeded" } : { kind: "failed", code: second },
    to,
    stamp: "1:2:3",
  });
  const names = async (...files: string[]) =>
    (await readFailures({ ...site(), store }, files)).map(({ job }) => job);

  it("cost no call of the store when no job has failed", async () => {
    ledger("w", ended(1, "a", "jobdone"));
    expect(await readFailures({ ...site(), store }, [])).to.deep.equal([]);
    expect(store.calls).to.deep.equal([]);
  });

  it("are the failed jobs that are still there, from all ledgers, with the newest first", async () => {
    ledger("w1", ended(1, "a"), ended(4, "put back"), ended(5, "b"));
    ledger("w2", ended(2, "c"), ended(3, "script.sh"), ended(6, "well", "jobdone"));
    expect(await names("a.ini", "b.ini", "c.ini", "script.sh", "never seen.ini")).to.deep.equal([
      "b",
      "script.sh",
      "c",
      "a",
    ]);
  });

  it("show the latest attempt of each job", async () => {
    ledger("w1", ended(1, "a", "retry", 1));
    ledger("w2", ended(2, "a", "retry", 2));
    expect(await readFailures({ ...site(), store }, ["a.ini"])).to.deep.equal([
      {
        job: "a",
        at: at(2),
        outcome: { kind: "failed", code: 2 },
        attempt: 2,
        log: layout.attemptLog("a", 2),
      },
    ]);
  });

  it("include jobs that were refused or lost too often", async () => {
    ledger(
      "d",
      { second: 1, event: "refused", job: "bad", file: "bad.ini", reason: "bad.ini: is empty" },
      { second: 2, event: "lost", job: "killer", attempt: 10, worker: "w", reason: "dead", to: "jobfailed" },
      { second: 3, event: "lost", job: "back", attempt: 1, worker: "w", reason: "dead", to: "jobqueue" },
    );
    expect(await readFailures({ ...site(), store }, ["bad.ini", "killer.ini", "back.ini"])).to.deep.equal([
      {
        job: "killer",
        at: at(2),
        outcome: { kind: "lost" },
        attempt: 10,
        log: layout.attemptLog("killer", 10),
      },
      {
        job: "bad",
        at: at(1),
        outcome: { kind: "refused", reason: "bad.ini: is empty" },
        log: layout.refusalLog("bad"),
      },
    ]);
  });

  it("show the last printed line, and read only the end of the log", async () => {
    const printed: [job: string, text: string, last: string | undefined][] = [
      ["a", "first\nlast \n\n", "last"],
      ["b", "10%\r20%\r", "20%"],
      ["c", "", undefined],
      ["d", `${"x".repeat(10_000)}`, "x".repeat(4096)],
    ];
    for (const [job, text] of printed) fs.writeFileSync(layout.attemptLog(job, 1), text);
    ledger("w", ...printed.map(([job], n) => ended(n, job)));
    const failures = await readFailures(
      { ...site(), store },
      printed.map(([job]) => `${job}.ini`),
    );
    for (const [job, , last] of printed) {
      expect(failures.find((one) => one.job === job)?.lastLine, job).to.equal(last);
    }
  });

  it("show, for a job that timed out, the last line that the job itself printed", async () => {
    fs.writeFileSync(layout.attemptLog("slow", 1), "step 7\nfjord: timed out after 3 s\n");
    ledger("w", { ...ended(1, "slow"), outcome: { kind: "timed-out", after: 3 } });
    expect((await readFailures({ ...site(), store }, ["slow.ini"]))[0]?.lastLine).to.equal("step 7");
  });

  it("are five of a hundred thousand, and read only five logs", async () => {
    const files = Array.from({ length: 100_000 }, (_, n) => `job${n}.ini`);
    ledger("old", ...Array.from({ length: 1000 }, (_, n) => ended(n, `job${n}`)));
    ledger("new", ...Array.from({ length: 1000 }, (_, n) => ended(2000 + n, `job${2000 + n}`)));
    expect(await names(...files)).to.deep.equal([2999, 2998, 2997, 2996, 2995].map((n) => `job${n}`));
    expect(store.calls.filter((call) => !call.endsWith(".log"))).to.have.members([
      "list ledger",
      "facts old.jsonl",
      "facts new.jsonl",
      "tail new.jsonl",
    ]);
    expect(store.calls).to.have.length(4 + 5);
  });
});
