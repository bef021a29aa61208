import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { Retries } from "../../src/dispatcher/retries.js";
import { Counts } from "../../src/ledger/counts.js";
import { Ledger } from "../../src/ledger/ledger.js";
import type { Layout } from "../../src/project/layout.js";
import { defaultSettings } from "../../src/project/settings.js";
import { finish, putBack, stampAt } from "../../src/spool/finish.js";
import type { Store } from "../../src/store/store.js";
import { sitePerTest } from "../rig/site.js";

/** The longest name that a job file may have. */
const FILE = `${"j".repeat(236)}.ini`;

describe("three jobs with the same name, in the queue, on the retry desk and on a worker's desk", () => {
  const site = sitePerTest();
  let layout: Layout;
  let store: Store;
  let desk = "";

  beforeEach(() => {
    ({ layout, store } = site());
    fs.mkdirSync(layout.desk("w"));
    desk = layout.onDesk("w", FILE);
    for (const [file, word] of [
      [layout.queued(FILE), "waits"],
      [layout.toRetry(FILE), "failed"],
      [desk, "runs"],
    ] as const) {
      fs.writeFileSync(file, `[control]\nexecutable = ${word}\nretries = 1\n`);
    }
  });

  /** The jobs in the queue and on both desks. */
  function there(): string[] {
    return [layout.jobqueue, layout.retryDesk, layout.desk("w")].flatMap((dir) =>
      fs.readdirSync(dir).map((name) => {
        const text = fs.readFileSync(path.join(dir, name), "utf8");
        return `${path.basename(dir)}: ${/executable = (\w+)/.exec(text)?.[1]}`;
      }),
    );
  }

  const ALL = ["jobqueue: waits", "retry: failed", "retry: runs"];

  it("are all kept when the running one fails", async () => {
    const { ino, mtimeMs } = fs.statSync(desk);
    const claimed = { worker: "w", file: FILE, ino, mtimeMs, bytes: Buffer.alloc(0), mode: 0o644 };
    const stamp = (await stampAt(store, desk)) ?? "";
    expect(await finish(site(), claimed, "retry", stamp)).to.equal("published");
    expect(there()).to.have.members(ALL);
  });

  it("are all kept when the running one is put back", async () => {
    expect(await putBack(site(), desk, FILE)).to.equal("retry");
    expect(there()).to.have.members(ALL);
  });

  it("return to the queue one after the other", async () => {
    await putBack(site(), desk, FILE);
    const ledger = await Ledger.open(store, layout.ledgerOf("d"), false);
    const settings = defaultSettings("local");
    const retries = new Retries({ ...site(), settings, ledger }, new Counts(site()));
    await retries.decide(0);
    expect(retries.waiting).to.equal(2);
    fs.unlinkSync(layout.queued(FILE));
    await retries.decide(1e6);
    expect(there()).to.have.members(["jobqueue: failed", "retry: runs"]);
    await retries.decide(2e6);
    expect(fs.readFileSync(layout.toRetry(FILE), "utf8")).to.include("runs");
    await ledger.close();
  });
});
