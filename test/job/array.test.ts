import { expect } from "chai";
import { readJob } from "../../src/job/job.js";
import { countOf, formatRange } from "../../src/job/numbers.js";

/** The first two lines of the file. A section that is added begins on line 3. */
const CONTROL = "[control]\nexecutable = x {lr}\n";

function arrayOf(sections: string) {
  const reading = readJob("j.ini", Buffer.from(CONTROL + sections), false);
  if (!reading.ok) throw new Error(reading.reason);
  if (reading.job.array === undefined) throw new Error("no array");
  return reading.job.array;
}

/** The values of all elements, by number. */
function elementsOf(sections: string): Record<string, Record<string, string>> {
  const array = arrayOf(sections);
  const elements: Record<string, Record<string, string>> = {};
  for (const { from, to, step } of array.ranges) {
    for (let n = from; n <= to; n += step) elements[n] = Object.fromEntries(array.valuesOf(n));
  }
  return elements;
}

/** The values of the parameter `lr` in all elements. */
function valuesOf(list: string): (string | undefined)[] {
  return Object.values(elementsOf(`[sweep]\nlr = ${list}\n`)).map(({ lr }) => lr);
}

describe("an array", () => {
  it("does not exist without [sweep] and [array]", () => {
    const reading = readJob("j.ini", Buffer.from(`${CONTROL}[sweeps]\nlr = 1,2\n`), false);
    expect(reading.ok && reading.job.array).to.equal(undefined);
  });

  it("has an element for each number of its range", () => {
    expect(elementsOf("[array]\nrange = 3,0,10-20:5\n")).to.deep.equal({
      0: { index: "0" },
      3: { index: "3" },
      10: { index: "10" },
      15: { index: "15" },
      20: { index: "20" },
    });
    expect(countOf(arrayOf("[array]\nrange = 1..1000000\n").ranges)).to.equal(1_000_000);
  });

  it("has an element for each combination, and the last parameter varies fastest", () => {
    expect(elementsOf("[sweep]\nlr = 0.1, 0.01\nseed = 1..2\n")).to.deep.equal({
      1: { index: "1", lr: "0.1", seed: "1" },
      2: { index: "2", lr: "0.1", seed: "2" },
      3: { index: "3", lr: "0.01", seed: "1" },
      4: { index: "4", lr: "0.01", seed: "2" },
    });
  });

  it("pairs the first values with each other, and so on, when zipped", () => {
    for (const zip of ["yes", "Yes", " YES "]) {
      expect(elementsOf(`[sweep]\nlr = 1,2\nb = x,y\n[array]\nzip = ${zip}\n`), zip).to.deep.equal({
        1: { index: "1", lr: "1", b: "x" },
        2: { index: "2", lr: "2", b: "y" },
      });
    }
    for (const zip of ["no", "No", ""]) {
      expect(countOf(arrayOf(`[sweep]\nlr = 1,2\nb = x,y\n[array]\nzip = ${zip}\n`).ranges), zip).to.equal(4);
    }
  });

  it("has only the combinations whose numbers are in the range", () => {
    const array = arrayOf("[array]\nrange = 6,2-3\n[sweep]\na = 1,2\nb = 1,2,3\n");
    expect(array.ranges.map(formatRange)).to.deep.equal(["2-3", "6"]);
    expect(Object.fromEntries(array.valuesOf(6))).to.deep.equal({ index: "6", a: "2", b: "3" });
    expect([...array.names]).to.deep.equal(["index", "a", "b"]);
  });

  const lists: [list: string, ...values: string[]][] = [
    ["1", "1"],
    ["a,b", "a", "b"],
    [" a ,\tb ", "a", "b"],
    ["a,\n  b,\n  c d", "a", "b", "c d"],
    ["a\\, b,c\\\\,\\d", "a, b", "c\\", "\\d"],
    ["a\\,,b", "a,", "b"],
    ["a,b\\", "a", "b\\"],
    ["a,,b,", "a", "", "b", ""],
    [",", "", ""],
    ["1..3, 7, 10..8", "1", "2", "3", "7", "10", "9", "8"],
    ["08..10", "08", "09", "10"],
    ["0..1..0.5", "0.0", "0.5", "1.0"],
    ["a = b; c # d", "a = b; c # d"],
    ["1-3", "1-3"],
    ["../data, {x}", "../data", "{x}"],
  ];
  for (const [list, ...values] of lists) {
    it(`reads the list ${JSON.stringify(list)} as ${values.map((value) => JSON.stringify(value)).join(" ")}`, () => {
      expect(valuesOf(list)).to.deep.equal(values);
    });
  }

  it("has parameter names in lower case, as all keys are, and allows any name", () => {
    expect(elementsOf("[sweep]\nLR = 1\n__proto__ = 2\na b.c = 3\n")).to.deep.equal({
      1: Object.fromEntries([
        ["index", "1"],
        ["lr", "1"],
        ["__proto__", "2"],
        ["a b.c", "3"],
      ]),
    });
  });

  it("takes its range from [DEFAULT], but no parameters", () => {
    const array = arrayOf("[DEFAULT]\nrange = 1-3\nroot = /x\n[sweep]\nlr = 1,2,3\n[array]\n");
    expect(countOf(array.ranges)).to.equal(3);
    expect([...array.names]).to.deep.equal(["index", "lr"]);
  });

  const HOW = "write whole numbers without leading zeros, such as 1-100, 0-99:5 or 1,3,10-20";
  const OWN = "(the job's own sections may have any other name)";
  const refusals: [sections: string, reason: string][] = [
    ["[array]\n", 'line 3, section [array], key "range": is missing; write such as "range = 1-1000"'],
    [
      "[array]\nrange =\n",
      'line 4, section [array], key "range": is missing; write such as "range = 1-1000"',
    ],
    [
      "[array]\nrange = 1-2\nzip = yes\n",
      'line 5, section [array], key "zip": is for the parameters of [sweep], and there are none',
    ],
    [
      "[array]\nzip = yes\n",
      'line 3, section [array], key "range": is missing; write such as "range = 1-1000"',
    ],
    [
      "[array]\nrang = 1\n",
      `line 4, section [array], key "rang": is not a key of this section; did you mean "range"? ${OWN}`,
    ],
    [
      "[array]\nx = 1\n",
      `line 4, section [array], key "x": is not a key of this section; the keys are range, zip ${OWN}`,
    ],
    ["[array]\nrange = 5-1\n", 'line 4, section [array], key "range": found "5-1", which counts nothing'],
    ["[array]\nrange = 01\n", `line 4, section [array], key "range": found "01"; ${HOW}`],
    ["[array]\nrange = 1-3,2\n", 'line 4, section [array], key "range": 2 is given twice'],
    [
      "[array]\nrange = 0-1000000\n",
      'line 4, section [array], key "range": these are 1000001 elements, more than 1000000',
    ],
    [
      "[array]\nrange = 1\n[array]\n",
      "line 5, section [array]: stands a second time (the first is on line 3); make one of them",
    ],
    [
      "[array]\nrange\n",
      'line 4, section [array]: found "range", which has no "=" or ":"; write "key = value"',
    ],
    ["[sweep]\n", 'line 3, section [sweep]: has no parameters; write such as "lr = 0.1, 0.01"'],
    ["[sweep]\n\nlr =\n", 'line 5, section [sweep], key "lr": has no values'],
    [
      "[sweep]\nindex = 1\n",
      'line 4, section [sweep], key "index": is the number of the element; call the parameter something else',
    ],
    [
      "[sweep]\nlr = 1\nlr = 2\n",
      'line 5, section [sweep], key "lr": is given a second time (the first is on line 4); keep one of them',
    ],
    [
      "[sweep]\nlr = 0.1..0.5\n",
      'line 4, section [sweep], key "lr": "0.1..0.5" has no step; write such as 0.1..0.5..0.1',
    ],
    ["[sweep]\nlr = 1..5..0\n", 'line 4, section [sweep], key "lr": "1..5..0" has a step of 0'],
    [
      "[sweep]\nlr = 1..1000001\n",
      'line 4, section [sweep], key "lr": "1..1000001" has more than 1000000 values',
    ],
    [
      "[sweep]\na = 1..1001\nb = 1..1000\n",
      "line 3, section [sweep]: these are 1001000 jobs, more than 1000000; submit them in parts",
    ],
    [
      "[sweep]\na = 1,2\nb = 1\n[array]\nzip = yes\n",
      'line 3, section [sweep]: zip: "a" has 2 values and "b" 1; give all the same number of values, or leave out zip for all combinations',
    ],
    [
      "[sweep]\na = 1,2\n[array]\nzip = true\n",
      'line 6, section [array], key "zip": found "true"; write yes or no',
    ],
    [
      "[sweep]\na = 1,2\n[array]\nrange = 0-1\n",
      'line 6, section [array], key "range": there is no element 0: [sweep] makes 1 to 2',
    ],
    [
      "[array]\nrange = 1,3\n[sweep]\na = 1,2\n",
      'line 4, section [array], key "range": there is no element 3: [sweep] makes 1 to 2',
    ],
  ];
  for (const [sections, reason] of refusals) {
    it(`is refused: ${reason}`, () => {
      const reading = readJob("j.ini", Buffer.from(CONTROL + sections), false);
      expect(reading).to.deep.equal({ ok: false, reason: `j.ini, ${reason}` });
    });
  }

  it("is refused when the job itself is invalid", () => {
    const reading = readJob("j.ini", Buffer.from("[control]\nretries = x\n[array]\nrange = 1\n"), false);
    expect(reading.ok).to.equal(false);
  });
});
