import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { Layout } from "../../src/project/layout.js";
import { endingOf } from "../../src/spool/ending.js";
import { openStore } from "../../src/spool/open-store.js";

describe("how a job failed, by its worker's ledger", () => {
  let layout: Layout;

  beforeEach(() => {
    layout = new Layout(fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-")));
    fs.mkdirSync(layout.ledger);
  });
  afterEach(() => fs.rmSync(layout.root, { recursive: true }));

  const ended = (job: string, attempt: number, ino = 7) => ({
    event: "ended",
    job,
    attempt,
    outcome: { kind: "failed", code: attempt },
    to: "jobfailed",
    stamp: `${ino}:1:2`,
  });

  const ask = (file: string, ...events: object[]) => {
    const line = (event: object) => `${JSON.stringify({ v: 1, t: "2026-01-01T00:00:00.000Z", ...event })}\n`;
    fs.writeFileSync(layout.ledgerOf("w"), events.map(line).join(""));
    return endingOf(openStore(layout.root, "local"), layout, "w", file, { ino: 7, mtimeMs: 1 });
  };

  const told = (job: string, code: number) => ({
    outcome: { kind: "failed", code },
    attempt: code,
    log: layout.attemptLog(job, code),
  });

  it("is the latest that it says of this file", async () => {
    expect(await ask("a.ini", ended("a", 1), ended("a", 2), ended("b", 3))).to.deep.equal(told("a", 2));
    expect(await ask("a.ini", ended("a", 1), ended("a", 2, 8))).to.deep.equal(told("a", 1));
    expect(await ask('say "a"', ended('say "a"', 1))).to.deep.equal(told('say "a"', 1));
  });

  it("is found behind hundreds of others", async () => {
    const others = Array.from({ length: 500 }, (_, n) => ended(`other${n}`, 1));
    expect(await ask("a.ini", ended("a", 4), ...others)).to.deep.equal(told("a", 4));
  });

  it("is not what another job's result says", async () => {
    const names = { ...ended("b", 2), result: { job: "a", n: 1 } };
    expect(await ask("a.ini", ended("a", 1), names)).to.deep.equal(told("a", 1));
  });

  it("is a refusal when the worker refused it", async () => {
    const refused = { event: "refused", job: "é", file: "é.ini", reason: "é.ini: is empty" };
    expect(await ask("é.ini", refused)).to.deep.equal({
      outcome: { kind: "refused", reason: "é.ini: is empty" },
      log: layout.refusalLog("_"),
    });
  });

  it("is unknown when the ledger says nothing, or is not there", async () => {
    expect(await ask("a.ini", ended("b", 1), { event: "started", job: "a", attempt: 1 })).to.deep.equal({});
    fs.unlinkSync(layout.ledgerOf("w"));
    expect(
      await endingOf(openStore(layout.root, "local"), layout, "w", "a.ini", { ino: 7, mtimeMs: 1 }),
    ).to.deep.equal({});
  });
});
