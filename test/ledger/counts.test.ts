import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { Counts } from "../../src/ledger/counts.js";
import { Layout } from "../../src/project/layout.js";
import { openStore } from "../../src/store/open-store.js";
import { siteOf } from "../rig/site.js";

/** The end of an attempt: its number, its destination, the inode of the job's file, and the file's change time. */
type End = [attempt: number, to: "retry" | "jobfailed", ino: number, at: number];

describe("the number of times that a job has failed", () => {
  async function count(ends: readonly End[], ino: number) {
    const layout = new Layout(fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-")));
    fs.mkdirSync(layout.ledger, { recursive: true });
    const lines = ends.map(([attempt, to, inode, at], i) => {
      const which = { job: "a", attempt, run: `w.${i}`, worker: "w", stamp: `${inode}:1:${at}:1` };
      return { v: 1, t: "", event: "ended", ...which, outcome: { kind: "failed", code: 1 }, to };
    });
    fs.writeFileSync(layout.ledgerOf("w"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const counts = new Counts(siteOf(openStore(layout.root, "local"), layout));
    const { failed, latest } = await counts.attemptsOf("a", { ino, mtimeMs: 1, bornMs: 1 });
    fs.rmSync(layout.root, { recursive: true });
    return { failed, latest };
  }

  it("counts the failures of its own file since the file last came to jobfailed", async () => {
    const ends: End[] = [
      [1, "retry", 7, 100],
      [2, "jobfailed", 7, 200],
      [3, "retry", 7, 300],
      [4, "retry", 8, 350],
      [5, "retry", 7, 400],
    ];
    expect(await count(ends, 7)).to.deep.equal({ failed: 2, latest: 5 });
    expect(await count(ends, 8)).to.deep.equal({ failed: 1, latest: 4 });
    expect(await count(ends, 9)).to.deep.equal({ failed: 0, latest: 0 });
  });

  it("is right when the logs were removed and the numbers began again", async () => {
    const ends: End[] = [
      [1, "retry", 7, 100],
      [2, "jobfailed", 7, 200],
      [1, "retry", 7, 300],
    ];
    expect(await count(ends, 7)).to.deep.equal({ failed: 1, latest: 1 });
  });

  it("includes every later end when the store's clock was set back", async () => {
    const ends: End[] = [
      [1, "jobfailed", 7, 900],
      [2, "retry", 7, 300],
      [3, "retry", 7, 400],
    ];
    expect(await count(ends, 7)).to.deep.equal({ failed: 2, latest: 3 });
  });
});
