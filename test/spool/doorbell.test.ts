import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { FSWatcher } from "chokidar";
import { Doorbell } from "../../src/spool/doorbell.js";
import { LocalStore } from "../../src/spool/local-store.js";
import { until } from "../rig/until.js";

describe("a doorbell", () => {
  let dir: string;
  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-"));
  });
  afterEach(() => fs.rmSync(dir, { recursive: true }));

  it("rings for each that comes, goes or is changed, with its name, and no more when it is taken", async () => {
    const rung: string[] = [];
    await using bell = new Doorbell(new LocalStore(), (where, entry) => rung.push(`${where}/${entry}`));
    expect(await bell.hang(dir)).to.equal(true);
    expect(await bell.hang(dir)).to.equal(false);
    const file = path.join(dir, "a");
    const moved = path.join(dir, "b");
    fs.writeFileSync(file, "");
    await until("it rings", () => rung.includes(file));
    fs.renameSync(file, moved);
    await until("it rings for the new name", () => rung.includes(moved));
    rung.length = 0;
    fs.rmSync(moved);
    await until("it rings again", () => rung.includes(moved));
    bell.take(dir);
    rung.length = 0;
    fs.writeFileSync(file, "");
    await bell.hang(dir);
    fs.writeFileSync(moved, "");
    await until("it rings when it hangs again", () => rung.includes(moved));
    expect(rung).not.to.include(file);
  });

  it("knows the method of chokidar's that would list the directory at each event", () => {
    expect(FSWatcher.prototype).to.respondTo("_readdirp");
  });
});
