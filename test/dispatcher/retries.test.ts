import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { Retries } from "../../src/dispatcher/retries.js";
import { Layout } from "../../src/project/layout.js";
import { defaultSettings } from "../../src/project/settings.js";
import { History } from "../../src/spool/history.js";
import { Ledger } from "../../src/spool/ledger.js";
import { openStore } from "../../src/spool/open-store.js";
import type { Store } from "../../src/spool/store.js";

const SETTLE = defaultSettings("network").settle * 1000;

describe("a job on the retry desk, over a file system that shows ledgers late", () => {
  let root = "";
  let isHeldBack = true;
  let retries: Retries;
  let layout: Layout;
  let ledger: Ledger;

  beforeEach(async () => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-"));
    layout = new Layout(root);
    for (const dir of layout.directories()) fs.mkdirSync(dir, { recursive: true });
    const real = openStore(root, "network");
    const store = Object.create(real) as Store;
    isHeldBack = true;
    store.readFrom = async (file, offset, limit) =>
      isHeldBack ? Buffer.alloc(0) : real.readFrom(file, offset, limit);
    ledger = await Ledger.open(real, layout.ledgerOf("d"), false);
    retries = new Retries(store, layout, defaultSettings("network"), ledger, new History(store, layout));
    fs.writeFileSync(layout.toRetry("a.ini"), "[control]\nexecutable: false\nretries: 0\n");
    const worker = await Ledger.open(real, layout.ledgerOf("w"), false);
    const rest = { host: "", start: "", end: "", seconds: 1, cpu: null, memory: null, stamp: "0:1:1" };
    const outcome = { kind: "failed", code: 1 } as const;
    await worker.append({ event: "ended", job: "a", attempt: 1, worker: "w", outcome, to: "retry", ...rest });
    await worker.close();
  });
  afterEach(async () => {
    await ledger.close();
    fs.rmSync(root, { recursive: true });
  });

  it("is not decided on while an attempt of it is to be seen of which no ledger tells the end", async () => {
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

  it("does not wait for ever for an attempt whose worker was killed before it could tell", async () => {
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
