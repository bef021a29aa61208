import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { Doorbell } from "../../src/store/doorbell.js";
import { LocalStore } from "../../src/store/local-store.js";
import { until } from "../rig/until.js";

describe("a doorbell", () => {
  let dir: string;
  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-"));
  });
  afterEach(() => fs.rmSync(dir, { recursive: true }));

  it("rings with the name of each entry that is created, renamed or removed, until the directory is ignored", async () => {
    const rung: string[] = [];
    await using bell = new Doorbell(new LocalStore(), (where, entry) => rung.push(`${where}/${entry}`));
    expect(await bell.listen(dir)).to.equal(true);
    expect(await bell.listen(dir)).to.equal(false);
    const file = path.join(dir, "a");
    const moved = path.join(dir, "b");
    fs.writeFileSync(file, "");
    await until("the doorbell rings for the new file", () => rung.includes(file));
    fs.renameSync(file, moved);
    await until("the doorbell rings for the new name", () => rung.includes(moved));
    rung.length = 0;
    fs.rmSync(moved);
    await until("the doorbell rings for the removal", () => rung.includes(moved));
    bell.ignore(dir);
    rung.length = 0;
    fs.writeFileSync(file, "");
    await bell.listen(dir);
    fs.writeFileSync(moved, "");
    await until("the doorbell rings when it listens again", () => rung.includes(moved));
    expect(rung).not.to.include(file);
  });
});
