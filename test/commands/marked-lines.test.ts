import { expect } from "chai";
import { MarkedLines, Turn } from "../../src/cli/marked-lines.js";

const KIB = 1024;

describe("the lines of several jobs", () => {
  for (const [what, text, lines] of [
    ["end with LF", "one\n\ntwo\n", ["one", "", "two"]],
    ["may be many", "one\n".repeat(9), Array(9).fill("one")],
    ["end with CRLF", "one\r\n\r\ntwo\r\n", ["one", "", "two"]],
    ["end with CR, as those of a progress bar", "\r10%\r20%\r\n", ["10%", "20%"]],
    ["get an end when they have none", "one\ntwo", ["one", "two"]],
    ["are absent when there is no output", "", []],
    ["are omitted where only a CR stands", "\r\r\r", []],
  ] as const) {
    it(`${what}, wherever the text is cut`, () => {
      for (let cut = 0; cut <= text.length; cut++) {
        const job = new MarkedLines("a | ", new Turn());
        const shown = job.add(text.slice(0, cut)) + job.add(text.slice(cut)) + job.end();
        expect(shown, `cut at ${cut}`).to.equal(lines.map((line) => `a | ${line}\n`).join(""));
      }
    });
  }

  it("are printed at a CR, and held back until their end arrives", () => {
    const job = new MarkedLines("a | ", new Turn());
    expect(job.add("10%\r20")).to.equal("a | 10%\n");
    expect(job.add("%")).to.equal("");
    expect(job.add("\r")).to.equal("a | 20%\n");
    expect(job.add("\n30%")).to.equal("");
    expect(job.end()).to.equal("a | 30%\n");
    expect(job.end()).to.equal("");
  });

  it("stay whole at any length, and get their mark again when another job has printed in between", () => {
    const turn = new Turn();
    const [a, b] = [new MarkedLines("a | ", turn), new MarkedLines("b | ", turn)];
    const long = "x".repeat(100 * KIB);
    expect(a.add(long)).to.equal(`a | ${long}`);
    expect(b.add("not yet")).to.equal("");
    expect(a.add("yy")).to.equal("yy");
    expect(b.add("\n")).to.equal("\nb | not yet\n");
    expect(a.add("zz\n")).to.equal("a | zz\n");
    expect(a.add(long) + a.add("\n")).to.equal(`a | ${long}\n`);
    expect(a.add(long) + b.add("b\n") + a.add("\n") + a.add("c\n")).to.equal(`a | ${long}\nb | b\na | c\n`);
    expect(a.add(long) + b.add("b\n") + a.end()).to.equal(`a | ${long}\nb | b\n`);
  });

  it("need work and memory that do not grow with the length of the line", () => {
    for (const pieces of [50, 100]) {
      const job = new MarkedLines("a | ", new Turn());
      const piece = "x".repeat(KIB);
      let printed = 0;
      let mostHeld = 0;
      let mostAtOnce = 0;
      for (let n = 1; n <= pieces * 10; n++) {
        const shown = job.add(piece);
        printed += shown.length;
        mostAtOnce = Math.max(mostAtOnce, shown.length);
        mostHeld = Math.max(mostHeld, n * KIB - printed);
      }
      expect(printed + job.end().length).to.equal("a | \n".length + pieces * 10 * KIB);
      expect(mostHeld, "characters held").to.be.at.most(64 * KIB);
      expect(mostAtOnce, "characters joined at once").to.be.at.most(66 * KIB);
    }
  });
});
