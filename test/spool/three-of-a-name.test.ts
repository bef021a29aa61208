import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { Retries } from "../../src/dispatcher/retries.js";
import { Layout } from "../../src/project/layout.js";
import { defaultSettings } from "../../src/project/settings.js";
import { finish, putBack, stampAt } from "../../src/spool/finish.js";
import { History } from "../../src/spool/history.js";
import { Ledger } from "../../src/spool/ledger.js";
import { openStore } from "../../src/spool/open-store.js";
import type { Store } from "../../src/spool/store.js";

/** The longest that a job's file may have. */
const FILE = `${"j".repeat(236)}.ini`;

describe("three jobs of one name, in the queue, on the retry desk and on a worker's", () => {
  let layout = new Layout("/nowhere");
  let store: Store;
  let desk = "";

  beforeEach(() => {
    layout = new Layout(fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-")));
    for (const dir of layout.directories()) fs.mkdirSync(dir, { recursive: true });
    store = openStore(layout.root, "local");
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
  afterEach(() => fs.rmSync(layout.root, { recursive: true }));

  /** What is in the places where jobs wait. */
  function there(): string[] {
    return [layout.jobqueue, layout.retryDesk, layout.desk("w")].flatMap((dir) =>
      fs.readdirSync(dir).map((name) => {
        const text = fs.readFileSync(path.join(dir, name), "utf8");
        return `${path.basename(dir)}: ${/executable = (\w+)/.exec(text)?.[1]}`;
      }),
    );
  }

  const ALL = ["jobqueue: waits", "retry: failed", "retry: runs"];

  it("are all there when the one that ran has failed", async () => {
    const { ino, mtimeMs } = fs.statSync(desk);
    const claimed = { worker: "w", file: FILE, ino, mtimeMs, bytes: Buffer.alloc(0), mode: 0o644 };
    const stamp = (await stampAt(store, desk)) ?? "";
    expect(await finish(store, layout, claimed, "retry", stamp)).to.equal("published");
    expect(there()).to.have.members(ALL);
  });

  it("are all there when it is put back", async () => {
    expect(await putBack(store, layout, desk, FILE)).to.equal("retry");
    expect(there()).to.have.members(ALL);
  });

  it("have their turns one after the other", async () => {
    await putBack(store, layout, desk, FILE);
    const ledger = await Ledger.open(store, layout.ledgerOf("d"), false);
    const settings = defaultSettings("local");
    const retries = new Retries(store, layout, settings, ledger, new History(store, layout));
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
