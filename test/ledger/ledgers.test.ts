import fs from "node:fs";
import { expect } from "chai";
import { Ledgers } from "../../src/ledger/ledgers.js";
import type { Layout } from "../../src/project/layout.js";
import type { Store } from "../../src/store/store.js";
import { sitePerTest } from "../rig/site.js";

describe("all ledgers", () => {
  const site = sitePerTest();
  let layout: Layout;

  const note = (actor: string, worker: string) => {
    const line = { v: 1, t: "2026-01-01T00:00:00.000Z", event: "left", worker, reason: "fired" };
    fs.appendFileSync(layout.ledgerOf(actor), `${JSON.stringify(line)}\n`);
  };
  const ledgersFrom = (from?: "start" | "now") => new Ledgers(site(), from);
  const read = async (ledgers: Ledgers) => {
    const workers: string[] = [];
    for await (const line of ledgers.read()) if ("worker" in line) workers.push(line.worker);
    return workers;
  };

  beforeEach(() => {
    layout = site().layout;
  });

  it("are not read past one that cannot be read, and lose no line when it can be read again", async () => {
    note("a", "a1");
    note("b", "b1");
    const store = Object.create(site().store) as Store;
    const ledgers = new Ledgers({ ...site(), store });
    store.readFrom = () => Promise.reject(Object.assign(new Error("stale"), { code: "ESTALE" }));
    expect(await read(ledgers).catch((error: Error) => error.message)).to.equal("stale");
    Reflect.deleteProperty(store, "readFrom");
    expect(await read(ledgers)).to.deep.equal(["a1", "b1"]);
  });

  it("are read as they grow, in the order of their names, with ledgers that are added later", async () => {
    note("b", "b1");
    note("a", "a1");
    const ledgers = ledgersFrom();
    expect(await read(ledgers)).to.deep.equal(["a1", "b1"]);
    note("a", "a2");
    note("c", "c1");
    expect(await read(ledgers)).to.deep.equal(["a2", "c1"]);
    expect(await read(ledgers)).to.deep.equal([]);
  });

  it("from now on, give the lines that are recorded after the call, even before the first read", async () => {
    note("a", "a1");
    const ledgers = ledgersFrom("now");
    note("a", "a2");
    note("b", "b1");
    expect(await read(ledgers)).to.deep.equal(["a2", "b1"]);
  });

  it("may be gone when they are read, and may lie beside other files", async () => {
    fs.symlinkSync("nowhere", layout.ledgerOf("a"));
    fs.writeFileSync(layout.ledgerFile("notes.txt"), "{}\n");
    note("b", "b1");
    expect(await read(ledgersFrom())).to.deep.equal(["b1"]);
    expect(await read(ledgersFrom("now"))).to.deep.equal([]);
  });
});
