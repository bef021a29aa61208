import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { Settling } from "../../src/spool/settling.js";
import { WriteProbe } from "../../src/spool/write-probe.js";
import { systemClock } from "../../src/store/clock.js";
import { openStore } from "../../src/store/open-store.js";
import { until } from "../rig/until.js";
import { skip } from "../rig/with-project.js";
import { Scribe } from "./scribe.js";

describe("a file in the queue counts as complete", () => {
  let dir = "";
  /** A settle time that is over, in seconds. Zero is not over when the clock of the files is a fraction ahead. */
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

  /** @param read facts of the file that an earlier reader saw, and that differ from the current ones */
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

  it("after the settle time, by the store's clock, when nothing else shows it", async () => {
    write("x");
    expect(await isSettled("network", {}, 1000)).to.equal(false);
    expect(await isSettled("network", {}, LONG_AGO)).to.equal(true);
    expect(fs.readdirSync(dir)).to.deep.equal(["a.ini"]);
  });

  it("only after the settle time when it is empty", async () => {
    write("");
    for (const kind of ["local", "network"] as const) {
      expect(await isSettled(kind, {}, 1000), kind).to.equal(false);
      expect(await isSettled(kind, {}, LONG_AGO), kind).to.equal(true);
    }
  });

  it("only after the settle time when it belongs to another user", async () => {
    write("x");
    const uid = (process.getuid?.() ?? 0) + 1;
    expect(await isSettled("local", { uid }, 1000)).to.equal(false);
    expect(await isSettled("local", { uid }, LONG_AGO)).to.equal(true);
  });
});

/** The two ways to find out whether a process has a file open for writing. */
for (const way of ["the open files of all processes", "the kernel"] as const) {
  describe(`a file on a local file system counts as whole, by ${way},`, () => {
    const MINUTE = 60_000;
    let dir = "";
    let file = "";
    let probe: WriteProbe | undefined;

    before(async function () {
      if (process.platform !== "linux") skip(this, "only Linux tells who writes a file");
      if (way !== "the kernel") return;
      if (!fs.existsSync("/usr/bin/perl")) skip(this, "only Perl asks the kernel");
      const asking = new WriteProbe(systemClock);
      probe = asking;
      await until("the kernel answers", async () => (await asking.isWritten(process.execPath)) === false);
    });
    after(() => probe?.stop());
    beforeEach(() => {
      dir = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-"));
      file = path.join(dir, "a.ini");
    });
    afterEach(() => fs.rmSync(dir, { recursive: true }));

    /**
     * @param read facts that differ from the file's present ones
     * @param settling the listing that the file belongs to
     */
    async function isSettled(read: object = {}, settling = listing()): Promise<boolean> {
      const facts = await openStore(dir, "local").facts(file);
      return settling.isSettled("a.ini", { ...facts, ...read });
    }

    function listing(): Settling {
      return new Settling(openStore(dir, "local"), dir, 0.001, probe);
    }

    it("when no process has it open for writing", async () => {
      fs.writeFileSync(file, "x");
      const fd = fs.openSync(file, "r");
      expect(await isSettled()).to.equal(true);
      fs.closeSync(fd);
    });

    it("only after a minute while a process has it open for writing", async () => {
      const fd = fs.openSync(file, "w");
      fs.writeSync(fd, "x");
      const { ctimeMs, mtimeMs } = fs.statSync(file);
      const earlier = (ms: number) => ({ ctimeMs: ctimeMs - ms, mtimeMs: mtimeMs - ms });
      expect(await isSettled()).to.equal(false);
      expect(await isSettled(earlier(0.5 * MINUTE))).to.equal(false);
      expect(await isSettled(earlier(1.1 * MINUTE))).to.equal(true);
      fs.closeSync(fd);
      expect(await isSettled()).to.equal(true);
    });

    it("only when a slow writer has closed it, however many lines are there", async () => {
      await using scribe = new Scribe();
      await scribe.does(`exec 3>'${file}'`);
      for (const line of ["[control]", "executable = true", "priority = 1"]) {
        await scribe.does(`echo '${line}' >&3`);
        expect(await isSettled(), line).to.equal(false);
      }
      await scribe.does("exec 3>&-");
      expect(await isSettled()).to.equal(true);
    });

    it("only when all processes that share the writer's descriptor have closed it", async () => {
      await using scribe = new Scribe();
      const orders = path.join(dir, "orders");
      await scribe.does(`mkfifo '${orders}'; exec 3>'${file}'; echo x >&3; cat '${orders}' >&3 & exec 3>&-`);
      expect(await isSettled()).to.equal(false);
      fs.writeFileSync(orders, "");
      await until("the last process has closed it", () => isSettled());
    });

    it("not when its writer has renamed it and goes on writing", async () => {
      const temporary = path.join(dir, ".a.tmp");
      const fd = fs.openSync(temporary, "w");
      fs.writeSync(fd, "half");
      fs.renameSync(temporary, file);
      const { mtimeMs } = fs.statSync(file);
      // The file looks as if the rename came at once, even if this process had to wait before it.
      expect(await isSettled({ ctimeMs: mtimeMs })).to.equal(false);
      fs.writeSync(fd, " and half");
      expect(await isSettled()).to.equal(false);
      fs.closeSync(fd);
      expect(await isSettled()).to.equal(true);
    });

    it("not when its writer opened it elsewhere and another process renamed it", async () => {
      await using scribe = new Scribe();
      const elsewhere = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-"));
      await scribe.does(`exec 3>'${elsewhere}/x'; echo half >&3`);
      // Questions about other files come before.
      fs.writeFileSync(file, "x");
      expect(await isSettled()).to.equal(true);
      fs.renameSync(path.join(elsewhere, "x"), file);
      const { mtimeMs } = fs.statSync(file);
      expect(await isSettled({ ctimeMs: mtimeMs })).to.equal(false);
      await scribe.does("exec 3>&-");
      expect(await isSettled({ ctimeMs: mtimeMs })).to.equal(true);
      fs.rmdirSync(elsewhere);
    });

    it("not when a reader saw it before its writer wrote the rest and closed it", async () => {
      fs.writeFileSync(file, "all of it");
      expect(await isSettled({ size: 3 })).to.equal(false);
    });

    it("not when another file has replaced the one that was read", async () => {
      fs.writeFileSync(file, "x");
      const { ino } = fs.statSync(file);
      expect(await isSettled({ ino: ino + 1 })).to.equal(false);
    });

    it("in the same way for the last of many files of one listing", async () => {
      fs.writeFileSync(file, "x");
      const settling = listing();
      const fd = fs.openSync(file, "a");
      for (let n = 0; n < 30; n++) expect(await isSettled({}, settling)).to.equal(false);
      fs.closeSync(fd);
      expect(await isSettled()).to.equal(true);
    });

    it("at a cost that depends on the host's open files only without the kernel", async () => {
      fs.writeFileSync(file, "x");
      const many = Array.from({ length: 500 }, () => fs.openSync(file, "r"));
      const { readlinkSync } = fs;
      let looks = 0;
      fs.readlinkSync = ((...args: Parameters<typeof readlinkSync>) => {
        looks++;
        return readlinkSync(...args);
      }) as typeof readlinkSync;
      try {
        expect(await isSettled()).to.equal(true);
      } finally {
        fs.readlinkSync = readlinkSync;
        for (const fd of many) fs.closeSync(fd);
      }
      if (way === "the kernel") expect(looks).to.equal(0);
      else expect(looks).to.be.greaterThan(many.length);
    });
  });
}
