import { expect } from "chai";
import { isSameFile, isSameLife, isSameStamp, isStampOf, stampOf } from "../../src/store/stamp.js";
import type { FileFacts } from "../../src/store/store.js";

const facts = (ino: number, mtimeMs: number, ctimeMs = mtimeMs, bornMs = 0): FileFacts => ({
  ...{ ino, mtimeMs, ctimeMs, bornMs, size: 1, mode: 0o644, uid: 0, gid: 0, kind: "file" },
});

describe("a job file is distinguished from another file with the same name", () => {
  it("by its inode if both sides know it, for any times", () => {
    expect(isSameFile(facts(7, 1000), facts(7, 5000))).to.equal(true);
    expect(isSameFile(facts(7, 1000), facts(8, 1000))).to.equal(false);
    expect(isStampOf(stampOf(facts(7, 1000)), facts(7, 1000, 9000))).to.equal(true);
    expect(isStampOf(stampOf(facts(7, 1000)), facts(77, 1000))).to.equal(false);
  });

  it("by the second of its modification where a host does not know the inode", () => {
    expect(isSameFile(facts(0, 1000), facts(0, 1000))).to.equal(true);
    expect(isSameFile(facts(0, 1000), facts(7, 1999.5))).to.equal(true);
    expect(isSameFile(facts(7, 2000), facts(0, 1000))).to.equal(false);
    expect(isStampOf(stampOf(facts(7, 1234.5, 9000)), facts(0, 1000))).to.equal(true);
    expect(isSameStamp(stampOf(facts(7, 1234.5, 9000)), stampOf(facts(0, 1000)))).to.equal(true);
    expect(isSameStamp(stampOf(facts(7, 1234.5)), stampOf(facts(0, 2000)))).to.equal(false);
  });

  it("by its change time, which also shows that the file was moved away and back", () => {
    expect(isSameStamp(stampOf(facts(7, 1000, 2000)), stampOf(facts(7, 1000, 3000)))).to.equal(false);
    expect(isSameStamp(stampOf(facts(7, 1000, 2000)), stampOf(facts(7, 1000, 2000)))).to.equal(true);
  });

  it("also by its birth time where both sides know it, because a new file may reuse the inode", () => {
    expect(isSameFile(facts(7, 1000, 1000, 500), facts(7, 1000, 1000, 600))).to.equal(false);
    expect(isSameFile(facts(7, 1000, 1000, 500), facts(7, 9000, 9000, 500))).to.equal(true);
    expect(isSameFile(facts(7, 1000, 1000, 500), facts(7, 1000))).to.equal(true);
    expect(isStampOf(stampOf(facts(7, 1, 2, 500)), facts(7, 1, 3, 500))).to.equal(true);
    expect(isStampOf(stampOf(facts(7, 1, 2, 500)), facts(7, 1, 2, 600))).to.equal(false);
  });

  it("also by its modification time, for its life, where no birth time is known", () => {
    expect(isSameLife(facts(7, 1000), facts(7, 1000, 9000))).to.equal(true);
    expect(isSameLife(facts(7, 1000), facts(7, 1001))).to.equal(false);
    expect(isSameLife(facts(7, 1000, 1, 500), facts(7, 1001, 1, 500))).to.equal(true);
    expect(isSameLife(facts(0, 1000), facts(7, 1999))).to.equal(true);
  });

  it("and the stamp of a file is never the empty stamp", () => {
    expect(isStampOf("", facts(0, 0))).to.equal(false);
    expect(isSameStamp(stampOf(facts(0, 1000)), "")).to.equal(false);
  });
});
