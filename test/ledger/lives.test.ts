import { expect } from "chai";
import { lifeOf, livesOf } from "../../src/ledger/lives.js";
import { type FileMark, stampOf } from "../../src/store/stamp.js";

const mark = (ino: number, mtimeMs: number, bornMs = 0): FileMark => ({ ino, mtimeMs, bornMs });
const told = (name: string, ...marks: FileMark[]) => ({
  name,
  stamps: marks.map(({ ino, mtimeMs, bornMs = 0 }) => stampOf({ ino, mtimeMs, ctimeMs: 0, bornMs })),
});
const names = (lives: { name: string }[][]) => lives.map((life) => life.map(({ name }) => name).join(""));

describe("the ledger lines of a job's name", () => {
  it("are divided into lives by file, and a reused inode is another life", () => {
    const [a, b, c] = [mark(7, 1, 10), mark(7, 1, 20), mark(8, 1, 10)];
    expect(names(livesOf([told("a", a), told("b", b), told("c", c), told("d", a)]))).to.deep.equal([
      "ad",
      "b",
      "c",
    ]);
    expect(
      names(livesOf([told("a", mark(7, 1)), told("b", mark(7, 2)), told("c", mark(7, 1))])),
    ).to.deep.equal(["ac", "b"]);
  });

  it("belong to one life when a job replaces its own file, in whatever order they are read", () => {
    const [a, b, c] = [
      told("a", mark(2, 2), mark(1, 1)),
      told("b", mark(3, 3), mark(2, 2)),
      told("c", mark(3, 3)),
    ];
    for (const order of [
      [a, b, c],
      [c, a, b],
      [b, c, a],
    ]) {
      expect(livesOf(order)).to.deep.equal([order]);
      expect(lifeOf(order, mark(3, 3))).to.deep.equal(order);
    }
    expect(lifeOf([a, b, c], mark(4, 4))).to.deep.equal([]);
  });

  it("belong to one life when one host knows neither inodes nor birth times", () => {
    const lives = livesOf([told("a", mark(0, 1999)), told("b", mark(7, 1000, 10)), told("c", mark(0, 3000))]);
    expect(names(lives)).to.deep.equal(["ab", "c"]);
    expect(names([lifeOf(lives.flat(), mark(7, 1000))])).to.deep.equal(["ab"]);
  });

  it("count for every life when they are of an older version, which does not name the file", () => {
    expect(
      names([lifeOf([told("a"), told("b", mark(7, 1)), told("c", mark(8, 1))], mark(8, 1))]),
    ).to.deep.equal(["ac"]);
  });
});
