import { expect } from "chai";
import { isSameFile, isSameStamp, isStampOf, stampOf } from "../../src/spool/stamp.js";
import type { FileFacts } from "../../src/spool/store.js";

const facts = (ino: number, mtimeMs: number, ctimeMs = mtimeMs): FileFacts => ({
  ...{ ino, mtimeMs, ctimeMs, size: 1, mode: 0o644, uid: 0, gid: 0, kind: "file" },
});

describe("what tells a job file from another of its name", () => {
  it("is the inode where it is known, whatever the times are", () => {
    expect(isSameFile(facts(7, 1000), facts(7, 5000))).to.equal(true);
    expect(isSameFile(facts(7, 1000), facts(8, 1000))).to.equal(false);
    expect(isStampOf(stampOf(facts(7, 1000)), facts(7, 1000, 9000))).to.equal(true);
    expect(isStampOf(stampOf(facts(7, 1000)), facts(77, 1000))).to.equal(false);
  });

  it("is the second of its modification where a host does not know the inode", () => {
    expect(isSameFile(facts(0, 1000), facts(0, 1000))).to.equal(true);
    expect(isSameFile(facts(0, 1000), facts(7, 1999.5))).to.equal(true);
    expect(isSameFile(facts(7, 2000), facts(0, 1000))).to.equal(false);
    expect(isStampOf(stampOf(facts(7, 1234.5, 9000)), facts(0, 1000))).to.equal(true);
    expect(isSameStamp(stampOf(facts(7, 1234.5, 9000)), stampOf(facts(0, 1000)))).to.equal(true);
    expect(isSameStamp(stampOf(facts(7, 1234.5)), stampOf(facts(0, 2000)))).to.equal(false);
  });

  it("also tells it from itself, moved away and back, where change times are known", () => {
    expect(isSameStamp(stampOf(facts(7, 1000, 2000)), stampOf(facts(7, 1000, 3000)))).to.equal(false);
    expect(isSameStamp(stampOf(facts(7, 1000, 2000)), stampOf(facts(7, 1000, 2000)))).to.equal(true);
  });

  it("is nothing where there is no file", () => {
    expect(isStampOf("", facts(0, 0))).to.equal(false);
    expect(isSameStamp(stampOf(facts(0, 1000)), "")).to.equal(false);
  });
});
