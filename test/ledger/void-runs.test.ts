import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { readHistory } from "../../src/ledger/attempts.js";
import { Counts } from "../../src/ledger/counts.js";
import { Layout } from "../../src/project/layout.js";
import { readFailures } from "../../src/report/failures.js";
import { endingOf } from "../../src/spool/ending.js";
import { openStore } from "../../src/store/open-store.js";
import { siteOf } from "../rig/site.js";

const FILE = { ino: 7, mtimeMs: 1, bornMs: 1 };
const RUN = { job: "a", attempt: 1, run: "w.1", worker: "w" };
const ENDED = {
  ...{ event: "ended", ...RUN, outcome: { kind: "failed", code: 1 }, result: { loss: 1 } },
  ...{ to: "retry", stamp: "7:1:100:1" },
};
const VOIDED = {
  lost: { event: "lost", ...RUN, reason: "dead", to: "jobqueue" },
  discarded: { event: "discarded", ...RUN, reason: "fenced" },
};

describe("an end that was recorded and never published", () => {
  let layout: Layout;

  beforeEach(() => {
    layout = new Layout(fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-")));
    fs.mkdirSync(layout.ledger);
  });
  afterEach(() => fs.rmSync(layout.root, { recursive: true }));

  const note = (actor: string, event: object) => {
    const line = { v: 1, t: "2026-01-01T00:00:00.000Z", ...event };
    fs.appendFileSync(layout.ledgerOf(actor), `${JSON.stringify(line)}\n`);
  };
  const site = () => siteOf(openStore(layout.root, "local"), layout);

  /** The answers of all readers. */
  async function ask() {
    const { failed, lost } = await new Counts(site()).attemptsOf("a", FILE);
    const [attempt] = (await readHistory(site())).attempts.get("a") ?? [];
    const failures = await readFailures(site(), ["a.ini"]);
    return {
      failed,
      lost,
      outcome: attempt?.outcome?.kind,
      result: attempt?.result,
      failures: failures.length,
    };
  }

  it("is an outcome to every reader while no other line contradicts it", async () => {
    note("w", ENDED);
    expect(await ask()).to.deep.equal({
      failed: 1,
      lost: 0,
      outcome: "failed",
      result: { loss: 1 },
      failures: 1,
    });
    expect(await endingOf(site(), "w", "a.ini", FILE)).to.include({ attempt: 1 });
  });

  for (const kind of ["lost", "discarded"] as const) {
    it(`is an outcome to no reader when the run was ${kind}, whichever ledger is read first`, async () => {
      for (const [worker, other] of [
        ["a", "b"],
        ["b", "a"],
      ] as const) {
        fs.rmSync(layout.ledger, { recursive: true });
        fs.mkdirSync(layout.ledger);
        note(worker, ENDED);
        note(other, VOIDED[kind]);
        const none = { failed: 0, outcome: "lost", result: undefined, failures: 0 };
        expect(await ask()).to.deep.equal({ ...none, lost: kind === "lost" ? 1 : 0 });
      }
    });
  }

  it("is not the reason of a failure when the worker discarded the run", async () => {
    note("w", ENDED);
    note("w", VOIDED.discarded);
    expect(await endingOf(site(), "w", "a.ini", FILE)).to.deep.equal({});
  });
});
