import fs from "node:fs";
import { expect } from "chai";
import { Retries } from "../../src/dispatcher/retries.js";
import { Counts } from "../../src/ledger/counts.js";
import { Ledger } from "../../src/ledger/ledger.js";
import type { Layout } from "../../src/project/layout.js";
import { defaultSettings } from "../../src/project/settings.js";
import { stampAt } from "../../src/spool/finish.js";
import { openStore } from "../../src/store/open-store.js";
import type { Store } from "../../src/store/store.js";
import { siteOf, sitePerTest } from "../rig/site.js";

const SETTLE = defaultSettings("network").settle * 1000;

describe("a job on the retry desk of a file system that shows ledgers late", () => {
  const local = sitePerTest();
  let isHeldBack = true;
  let retries: Retries;
  let layout: Layout;
  let ledger: Ledger;

  beforeEach(async () => {
    layout = local().layout;
    const real = openStore(layout.root, "network");
    const store = Object.create(real) as Store;
    isHeldBack = true;
    store.readFrom = async (file, offset, limit) =>
      isHeldBack ? Buffer.alloc(0) : real.readFrom(file, offset, limit);
    ledger = await Ledger.open(real, layout.ledgerOf("d"), false);
    const site = siteOf(store, layout);
    retries = new Retries({ ...site, ledger }, new Counts(site));
    fs.writeFileSync(layout.toRetry("a.ini"), "[control]\nexecutable: false\nretries: 0\n");
    const worker = await Ledger.open(real, layout.ledgerOf("w"), false);
    const rest = { host: "", start: "", end: "", seconds: 1, cpu: null, memory: null };
    const stamp = (await stampAt(real, layout.toRetry("a.ini"))) ?? "";
    const outcome = { kind: "failed", code: 1 } as const;
    const which = { job: "a", attempt: 1, run: "w.1", worker: "w" };
    await worker.append({ event: "ended", ...which, outcome, to: "retry", stamp, ...rest });
    await worker.close();
  });
  afterEach(async () => {
    await ledger.close();
  });

  it("is not judged while it has an attempt whose end is in no ledger", async () => {
    fs.writeFileSync(layout.attemptLog("a", 1), "");
    expect(await retries.decide(1000)).to.deep.equal([]);
    expect(await retries.decide(1000 + SETTLE / 2)).to.deep.equal([]);
    expect([retries.waiting, retries.isWaiting("a.ini")]).to.deep.equal([1, true]);
    expect(fs.existsSync(layout.queued("a.ini"))).to.equal(false);
    isHeldBack = false;
    const [decision] = await retries.decide(1000 + SETTLE / 2 + 1000);
    expect(decision).to.include({ kind: "given-up", job: "a" });
    expect(fs.existsSync(layout.ended("jobfailed", "a.ini"))).to.equal(true);
  });

  it("does not wait forever for an attempt whose worker was killed before the worker could report its end", async () => {
    fs.writeFileSync(layout.attemptLog("a", 1), "");
    for (let now = 1000; now < 1000 + SETTLE + 3000; now += 1000) await retries.decide(now);
    expect(fs.existsSync(layout.queued("a.ini"))).to.equal(true);
  });

  it("goes back at once when it is there because its name was taken", async () => {
    await retries.decide(1000);
    await retries.decide(1001);
    expect(fs.existsSync(layout.queued("a.ini"))).to.equal(true);
  });
});
