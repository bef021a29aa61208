import { expect } from "chai";
import { readSelection } from "../../src/job/selection.js";

const NAMES = [
  "run1",
  "run2",
  "run10",
  "run01",
  "a b",
  "run.sh",
  "x*y",
  "[z-a]",
  "run{a}",
  "é",
  "b\\c",
  "q.ini",
];

describe("a selection", () => {
  const selections: [word: string, ...meant: string[]][] = [
    ["run1", "run1"],
    ["run1.ini", "run1"],
    ["run.sh", "run.sh"],
    ["a b", "a b"],
    ["run?", "run1", "run2"],
    ["run*", "run1", "run2", "run10", "run01", "run.sh", "run{a}"],
    ["run[12]", "run1", "run2"],
    ["run[!1]", "run2"],
    ["run[0-9][0-9]", "run10", "run01"],
    ["run{1..2}", "run1", "run2"],
    ["run{1,10,sh}", "run1", "run10"],
    ["run{01..03}", "run01"],
    ["{run,x}*", "run1", "run2", "run10", "run01", "run.sh", "x*y", "run{a}"],
    ["x\\*y", "x*y"],
    ["x*y", "x*y"],
    ["[z-a]", "[z-a]"],
    ["run{a}", "run{a}"],
    ["b\\c", "b\\c"],
    ["?", "é"],
    [".*"],
    ["RUN1"],
    ["run"],
  ];
  for (const [word, ...meant] of selections) {
    it(`${word} selects ${meant.join(", ") || "no name"}`, () => {
      const patterns = readSelection(word);
      expect(NAMES.filter((name) => patterns.some((pattern) => pattern.matches(name)))).to.deep.equal(meant);
    });
  }

  const expansions: [word: string, ...words: string[]][] = [
    ["r{1..3}", "r1", "r2", "r3"],
    ["r{3..1}", "r3", "r2", "r1"],
    ["r{-1..1}", "r-1", "r0", "r1"],
    ["r{08..10}", "r08", "r09", "r10"],
    ["r{1..10..4}", "r1", "r5", "r9"],
    ["{a,b}{1..2}", "a1", "a2", "b1", "b2"],
    ["{a,}x", "ax", "x"],
    ["r{1..}", "r{1..}"],
    ["r{1..2", "r{1..2"],
    ["\\{1..2}", "{1..2}"],
  ];
  for (const [word, ...words] of expansions) {
    it(`${word} expands to ${words.join(" ")}`, () => {
      expect(readSelection(word).map(({ text }) => text)).to.deep.equal(words);
    });
  }

  it("expands to a million names at most", () => {
    expect(() => readSelection("r{1..1000001}")).to.throw(RangeError, "more than 1000000");
    expect(() => readSelection("{1..10000}{1..10000}")).to.throw(RangeError, "more than 1000000");
  });
});
