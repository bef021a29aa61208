import { expect } from "chai";
import {
  clip,
  contains,
  countIn,
  countOf,
  cutAfter,
  divide,
  formatRange,
  numbersOf,
  parseNumber,
  parseRange,
  rangesOf,
  readRanges,
} from "../../src/job/numbers.js";
import { Dice, SEED } from "../rig/dice.js";

const HOW = "write whole numbers without leading zeros, such as 1-100, 0-99:5 or 1,3,10-20";

/** Random numbers below 60 in ascending order: a few, nearly all, or every second or third. */
function randomSet(dice: Dice): number[] {
  const [share, step] = [dice.next(), dice.pick([1, 1, 2, 3])];
  const all = Array.from({ length: 60 }, (_, n) => n);
  return all.filter((n) => (n % step === 0 && dice.next() < share) || dice.next() < 0.03);
}

describe("numbers of an array", () => {
  const readings: [text: string, formatted: string[], numbers: number[]][] = [
    ["7", ["7"], [7]],
    ["0", ["0"], [0]],
    ["1-3", ["1-3"], [1, 2, 3]],
    ["4-4", ["4"], [4]],
    ["0-10:5", ["0-10:5"], [0, 5, 10]],
    ["0-9:5", ["0-5:5"], [0, 5]],
    ["1-3:9", ["1"], [1]],
    ["1-3:1", ["1-3"], [1, 2, 3]],
    ["1..3", ["1-3"], [1, 2, 3]],
    ["0..10..5", ["0-10:5"], [0, 5, 10]],
    ["0-10..5", ["0-10:5"], [0, 5, 10]],
    ["9, 1-3 ,20", ["1-3", "9", "20"], [1, 2, 3, 9, 20]],
    ["1-9:2,2-8:2", ["1-9:2", "2-8:2"], [1, 3, 5, 7, 9, 2, 4, 6, 8]],
    ["999999999", ["999999999"], [999_999_999]],
    ["0-999999999:999999999", ["0-999999999:999999999"], [0, 999_999_999]],
  ];
  for (const [text, formatted, numbers] of readings) {
    it(`${text} reads as ${formatted.join(" and ")}`, () => {
      const ranges = readRanges(text);
      expect(ranges.map(formatRange)).to.deep.equal(formatted);
      expect([...numbersOf(ranges)]).to.deep.equal(numbers);
      expect(countOf(ranges)).to.equal(numbers.length);
    });
  }

  it("may be a million", () => {
    expect(countOf(readRanges("1-1000000"))).to.equal(1_000_000);
  });

  const errors: [text: string, says: string][] = [
    ["", `found ""; ${HOW}`],
    ["x", `found "x"; ${HOW}`],
    ["1,", `found ""; ${HOW}`],
    ["1,,2", `found ""; ${HOW}`],
    ["1;2", `found "1;2"; ${HOW}`],
    ["1 - 3", `found "1 - 3"; ${HOW}`],
    ["-3", `found "-3"; ${HOW}`],
    ["1-", `found "1-"; ${HOW}`],
    ["01", `found "01"; ${HOW}`],
    ["1-03", `found "1-03"; ${HOW}`],
    ["1-9:03", `found "1-9:03"; ${HOW}`],
    ["1.5", `found "1.5"; ${HOW}`],
    ["1e3", `found "1e3"; ${HOW}`],
    ["1-2-3", `found "1-2-3"; ${HOW}`],
    ["1:2", `found "1:2"; ${HOW}`],
    ["1-5%2", `found "1-5%2"; ${HOW}`],
    ["1000000000", `found "1000000000"; ${HOW}`],
    ["٣", `found "٣"; ${HOW}`],
    ["5-1", 'found "5-1", which counts nothing'],
    ["1-5:0", 'found "1-5:0", which counts nothing'],
    ["1-5,3", "3 is given twice"],
    ["7,7", "7 is given twice"],
    ["0-10:5,1-9:4,5-6", "5 is given twice"],
    ["1-1000001", "these are 1000001 elements, more than 1000000"],
    ["0-999999999", "these are 1000000000 elements, more than 1000000"],
    ["1-600000,600001-1200000", "these are 1200000 elements, more than 1000000"],
  ];
  for (const [text, says] of errors) {
    it(`are refused: "${text}"`, () => expect(() => readRanges(text)).to.throw(RangeError, says));
  }

  it("in an element's name have no leading zeros and at most nine digits", () => {
    expect(["0", "7", "999999999"].map(parseNumber)).to.deep.equal([0, 7, 999_999_999]);
    for (const text of ["", "07", "+7", "-7", "7.0", "7 ", "1000000000", "x"]) {
      expect(parseNumber(text), text).to.equal(undefined);
    }
  });
});

describe("a range of numbers", () => {
  it("is read only in the form in which it is written", () => {
    for (const text of ["0", "7", "1-2", "1-100", "0-95:5", "3-1000:997"]) {
      const range = parseRange(text);
      expect(range && formatRange(range), text).to.equal(text);
    }
    const others = [
      "",
      "7-7",
      "1-100:1",
      "1..3",
      "1-4:2",
      "1,2",
      " 1",
      "1 ",
      "x",
      "5-1",
      "1-5:0",
      "01",
      ".out",
    ];
    for (const text of others) expect(parseRange(text), text).to.equal(undefined);
  });

  it("can be cut after any of its numbers", () => {
    const cut = (text: string, count: number) => {
      const range = parseRange(text);
      if (range === undefined) throw new Error(text);
      const { head, rest } = cutAfter(range, count);
      return [formatRange(head), rest && formatRange(rest)];
    };
    expect(cut("1-10", 3)).to.deep.equal(["1-3", "4-10"]);
    expect(cut("1-10", 1)).to.deep.equal(["1", "2-10"]);
    expect(cut("1-10", 9)).to.deep.equal(["1-9", "10"]);
    expect(cut("1-10", 10)).to.deep.equal(["1-10", undefined]);
    expect(cut("1-10", 99)).to.deep.equal(["1-10", undefined]);
    expect(cut("7", 1)).to.deep.equal(["7", undefined]);
    expect(cut("0-20:5", 1)).to.deep.equal(["0", "5-20:5"]);
    expect(cut("0-20:5", 3)).to.deep.equal(["0-10:5", "15-20:5"]);
    expect(cut("0-20:5", 4)).to.deep.equal(["0-15:5", "20"]);
  });

  it(`contains and counts its numbers, and is cut without loss (seed ${SEED})`, () => {
    const dice = new Dice(SEED);
    for (let turn = 0; turn < 500; turn++) {
      const [from, count, step] = [0, 1, 1].map((least) => Math.floor(dice.between(least, 30)));
      const text = `${from}-${(from ?? 0) + ((count ?? 1) - 1) * (step ?? 1)}:${step}`;
      const [range] = readRanges(text);
      if (range === undefined) throw new Error(text);
      const numbers = [...numbersOf([range])];
      expect(parseRange(formatRange(range)), text).to.deep.equal(range);
      expect(countIn(range), text).to.equal(numbers.length).and.to.equal(count);
      const inside = Array.from({ length: 1000 }, (_, n) => n).filter((n) => contains(range, n));
      expect(inside, text).to.deep.equal(numbers);
      const { head, rest } = cutAfter(range, Math.floor(dice.between(1, 31)));
      expect([...numbersOf(rest === undefined ? [head] : [head, rest])], text).to.deep.equal(numbers);
    }
  });
});

describe("the numbers of a range that are in other ranges", () => {
  const divisions: [range: string, others: string[], inside: string[], outside: string[]][] = [
    ["1-10", [], [], ["1-10"]],
    ["1-10", ["0-99"], ["1-10"], []],
    ["1-10", ["3-5"], ["3-5"], ["1-2", "6-10"]],
    ["1-10", ["8-20", "0-2"], ["1-2", "8-10"], ["3-7"]],
    ["1-10", ["3-6", "5-8", "4"], ["3-6", "7-8"], ["1-2", "9-10"]],
    ["1-9:2", ["3-6"], ["3", "5"], ["1", "7", "9"]],
    ["1-19:2", ["3-8"], ["3-7:2"], ["1", "9-19:2"]],
    ["1-9:2", ["2-8:2"], [], ["1-9:2"]],
    ["1-6", ["2-6:2"], ["2-6:2"], ["1-5:2"]],
    ["7", ["7"], ["7"], []],
  ];
  const rangesAs = (texts: readonly string[]) => texts.flatMap(readRanges);
  for (const [range, others, ...expected] of divisions) {
    it(`are found for ${range} divided by ${others.join(" and ") || "no ranges"}`, () => {
      const [only] = readRanges(range);
      if (only === undefined) throw new Error(range);
      const { inside, outside } = divide(only, rangesAs(others));
      expect([inside, outside].map((ranges) => ranges.map(formatRange))).to.deep.equal(expected);
    });
  }

  it(`are all found, for random ranges (seed ${SEED})`, () => {
    const dice = new Dice(SEED);
    for (let turn = 0; turn < 1000; turn++) {
      const others = [...rangesOf(randomSet(dice)), ...(turn % 2 === 0 ? rangesOf(randomSet(dice)) : [])];
      const range = dice.pick(rangesOf([...randomSet(dice), 60]));
      const chosen = new Set(numbersOf(others));
      const { inside, outside } = divide(range, others);
      const all = [...numbersOf([range])];
      const sorted = (ranges: Parameters<typeof numbersOf>[0]) =>
        [...numbersOf(ranges)].sort((a, b) => a - b);
      expect(sorted(inside)).to.deep.equal(all.filter((n) => chosen.has(n)));
      expect(sorted(outside)).to.deep.equal(all.filter((n) => !chosen.has(n)));
      const [first, last] = [0, 20].map((least) => Math.floor(dice.between(least, 50))) as [number, number];
      const between = all.filter((n) => n >= first && n <= last);
      expect(sorted(clip([range], first, last))).to.deep.equal(between);
    }
  });
});

describe("the ranges that hold chosen numbers", () => {
  const sets: [numbers: number[], ranges: string[]][] = [
    [[], []],
    [[5], ["5"]],
    [[5, 6], ["5-6"]],
    [
      [5, 9],
      ["5", "9"],
    ],
    [
      [1, 2, 3, 7, 8, 9],
      ["1-3", "7-9"],
    ],
    [[2, 4, 6, 8], ["2-8:2"]],
    [
      [1, 5, 6, 7],
      ["1", "5-7"],
    ],
    [
      [1, 2, 4, 6, 8],
      ["1-2", "4-8:2"],
    ],
    [
      [1, 10, 11],
      ["1", "10-11"],
    ],
    [
      [1, 2, 3, 10],
      ["1-3", "10"],
    ],
  ];
  for (const [numbers, ranges] of sets) {
    it(`are ${ranges.join(",") || "none"} for ${numbers.join(",") || "no numbers"}`, () => {
      expect(rangesOf(numbers).map(formatRange)).to.deep.equal(ranges);
    });
  }

  it(`hold each number once and no other, and can be written and read back (seed ${SEED})`, () => {
    const dice = new Dice(SEED);
    for (let turn = 0; turn < 1000; turn++) {
      const numbers = randomSet(dice);
      const ranges = rangesOf(numbers);
      const found = [...numbersOf(ranges)].sort((a, b) => a - b);
      expect(found).to.deep.equal(numbers);
      expect(ranges.map(formatRange).map(parseRange)).to.deep.equal(ranges);
      expect(ranges.length).to.be.at.most(numbers.length);
      if (numbers.length > 0) {
        expect([...numbersOf(readRanges(ranges.map(formatRange).join()))]).to.have.length(numbers.length);
      }
    }
  });
});
