import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { openStore } from "../../src/spool/open-store.js";
import { Settling } from "../../src/spool/settling.js";
import { skip } from "../rig/with-project.js";

describe("a file in the queue is whole", () => {
  let dir = "";
  const MINUTES = 60_000;
  /** A settle time, in seconds, that is over; 0 is not when the clock of the files is a fraction ahead. */
  const LONG_AGO = -1;

  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-"));
  });
  afterEach(() => fs.rmSync(dir, { recursive: true }));

  function write(text: string): string {
    const file = path.join(dir, "a.ini");
    fs.writeFileSync(file, text);
    return file;
  }

  /** Asks of a file as it is, or as somebody read it; `age` is added to what the clock says. */
  async function isSettled(kind: "local" | "network", read: object = {}, settle = 1000): Promise<boolean> {
    const store = openStore(dir, kind);
    const facts = await store.facts(path.join(dir, "a.ini"));
    return new Settling(store, dir, settle).isSettled("a.ini", { ...facts, ...read });
  }

  it("at once when it was renamed into place, or its times were set", async () => {
    const file = write("x");
    fs.utimesSync(file, 1, 1);
    expect(await isSettled("network")).to.equal(true);
    expect(await isSettled("local")).to.equal(true);
  });

  it("at once when nobody writes it any more, where that can be seen", async function () {
    if (process.platform !== "linux") skip(this, "only /proc tells who writes a file");
    write("x");
    expect(await isSettled("local")).to.equal(true);
    expect(await isSettled("network")).to.equal(false);
  });

  it("not while somebody has it open for writing, but a minute is enough", async function () {
    if (process.platform !== "linux") skip(this, "only /proc tells who writes a file");
    const fd = fs.openSync(write("x"), "a");
    const { ctimeMs, mtimeMs } = fs.statSync(path.join(dir, "a.ini"));
    const earlier = (ms: number) => ({ ctimeMs: ctimeMs - ms, mtimeMs: mtimeMs - ms });
    expect(await isSettled("local", {}, LONG_AGO)).to.equal(false);
    expect(await isSettled("local", earlier(0.5 * MINUTES), LONG_AGO)).to.equal(false);
    expect(await isSettled("local", earlier(1.1 * MINUTES), LONG_AGO)).to.equal(true);
    fs.closeSync(fd);
    expect(await isSettled("local", {}, LONG_AGO)).to.equal(true);
  });

  it("while somebody only reads it", async function () {
    if (process.platform !== "linux") skip(this, "only /proc tells who writes a file");
    const fd = fs.openSync(write("x"), "r");
    expect(await isSettled("local")).to.equal(true);
    fs.closeSync(fd);
  });

  it("not when it was read before its writer wrote the rest and closed it", async function () {
    if (process.platform !== "linux") skip(this, "only /proc tells who writes a file");
    write("all of it");
    expect(await isSettled("local", { size: 3 })).to.equal(false);
  });

  it("after the settle time, by the store's clock, where nothing else tells", async () => {
    write("x");
    expect(await isSettled("network", {}, 1000)).to.equal(false);
    expect(await isSettled("network", {}, LONG_AGO)).to.equal(true);
    expect(fs.readdirSync(dir)).to.deep.equal(["a.ini"]);
  });

  it("when it is empty, only after the settle time", async () => {
    write("");
    for (const kind of ["local", "network"] as const) {
      expect(await isSettled(kind, {}, 1000), kind).to.equal(false);
      expect(await isSettled(kind, {}, LONG_AGO), kind).to.equal(true);
    }
  });

  it("by the settle time when it is another user's", async () => {
    write("x");
    const uid = (process.getuid?.() ?? 0) + 1;
    expect(await isSettled("local", { uid }, 1000)).to.equal(false);
    expect(await isSettled("local", { uid }, LONG_AGO)).to.equal(true);
  });
});
