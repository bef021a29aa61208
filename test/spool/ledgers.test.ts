import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { Layout } from "../../src/project/layout.js";
import { Ledgers } from "../../src/spool/ledgers.js";
import { openStore } from "../../src/spool/open-store.js";
import type { Store } from "../../src/spool/store.js";

describe("all ledgers", () => {
  let layout: Layout;

  const note = (actor: string, worker: string) => {
    const line = { v: 1, t: "2026-01-01T00:00:00.000Z", event: "left", worker, reason: "fired" };
    fs.appendFileSync(layout.ledgerOf(actor), `${JSON.stringify(line)}\n`);
  };
  const ledgersFrom = (from?: "start" | "now") => new Ledgers(openStore(layout.root, "local"), layout, from);
  const read = async (ledgers: Ledgers) => {
    const workers: string[] = [];
    for await (const line of ledgers.read()) if ("worker" in line) workers.push(line.worker);
    return workers;
  };

  beforeEach(() => {
    layout = new Layout(fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-")));
    fs.mkdirSync(layout.ledger);
  });

  afterEach(() => fs.rmSync(layout.root, { recursive: true }));

  it("one that cannot be read is not passed over, and is read on when it can be", async () => {
    note("a", "a1");
    note("b", "b1");
    const store = Object.create(openStore(layout.root, "local")) as Store;
    const ledgers = new Ledgers(store, layout);
    store.readFrom = () => Promise.reject(Object.assign(new Error("stale"), { code: "ESTALE" }));
    expect(await read(ledgers).catch((error: Error) => error.message)).to.equal("stale");
    Reflect.deleteProperty(store, "readFrom");
    expect(await read(ledgers)).to.deep.equal(["a1", "b1"]);
  });

  it("are read as they grow, one after the other by name, and those that come later too", async () => {
    note("b", "b1");
    note("a", "a1");
    const ledgers = ledgersFrom();
    expect(await read(ledgers)).to.deep.equal(["a1", "b1"]);
    note("a", "a2");
    note("c", "c1");
    expect(await read(ledgers)).to.deep.equal(["a2", "c1"]);
    expect(await read(ledgers)).to.deep.equal([]);
  });

  it("from now on, tell what is noted after the call, though nobody has read yet", async () => {
    note("a", "a1");
    const ledgers = ledgersFrom("now");
    note("a", "a2");
    note("b", "b1");
    expect(await read(ledgers)).to.deep.equal(["a2", "b1"]);
  });

  it("may be gone when they are read, and lie beside what is none", async () => {
    fs.symlinkSync("nowhere", layout.ledgerOf("a"));
    fs.writeFileSync(layout.ledgerFile("notes.txt"), "{}\n");
    note("b", "b1");
    expect(await read(ledgersFrom())).to.deep.equal(["b1"]);
    expect(await read(ledgersFrom("now"))).to.deep.equal([]);
  });
});
