import fs from "node:fs";
import { expect } from "chai";
import { endingOf } from "../../src/spool/ending.js";
import { sitePerTest } from "../rig/site.js";

describe("the end of a failed job, in its worker's ledger", () => {
  const site = sitePerTest();

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
    fs.writeFileSync(site().layout.ledgerOf("w"), events.map(line).join(""));
    return endingOf(site(), "w", file, { ino: 7, mtimeMs: 1 });
  };

  const told = (job: string, code: number) => ({
    outcome: { kind: "failed", code },
    attempt: code,
    log: site().layout.attemptLog(job, code),
  });

  it("is the latest end that the ledger records for this file", async () => {
    expect(await ask("a.ini", ended("a", 1), ended("a", 2), ended("b", 3))).to.deep.equal(told("a", 2));
    expect(await ask("a.ini", ended("a", 1), ended("a", 2, 8))).to.deep.equal(told("a", 1));
    expect(await ask('say "a"', ended('say "a"', 1))).to.deep.equal(told('say "a"', 1));
  });

  it("is found when the ends of hundreds of other jobs follow it", async () => {
    const others = Array.from({ length: 500 }, (_, n) => ended(`other${n}`, 1));
    expect(await ask("a.ini", ended("a", 4), ...others)).to.deep.equal(told("a", 4));
  });

  it("is not taken from another job's result", async () => {
    const names = { ...ended("b", 2), result: { job: "a", n: 1 } };
    expect(await ask("a.ini", ended("a", 1), names)).to.deep.equal(told("a", 1));
  });

  it("is a refusal when the worker refused it", async () => {
    const refused = { event: "refused", job: "é", file: "é.ini", reason: "é.ini: is empty" };
    expect(await ask("é.ini", refused)).to.deep.equal({
      outcome: { kind: "refused", reason: "é.ini: is empty" },
      log: site().layout.refusalLog("_"),
    });
  });

  it("is unknown when the ledger records no end, or is missing", async () => {
    expect(await ask("a.ini", ended("b", 1), { event: "started", job: "a", attempt: 1 })).to.deep.equal({});
    fs.unlinkSync(site().layout.ledgerOf("w"));
    expect(await endingOf(site(), "w", "a.ini", { ino: 7, mtimeMs: 1 })).to.deep.equal({});
  });
});
