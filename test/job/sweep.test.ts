import { expect } from "chai";
import { FjordError } from "../../src/job/error.js";
import {
  type Dimension,
  oneByOne,
  readParam,
  readParameters,
  repetition,
  Sweep,
  tuples,
} from "../../src/job/sweep.js";

function valuesOf({ count, at }: Dimension): (string | undefined)[] {
  return Array.from({ length: count }, (_, i) => [...at(i).values()][0]);
}

function elements(sweep: Sweep): Record<string, string>[] {
  return Array.from({ length: sweep.count }, (_, i) => Object.fromEntries(sweep.at(i)));
}

describe("--param", () => {
  const params: [text: string, ...values: string[]][] = [
    ["x=a,b", "a", "b"],
    ["x=0.1,1e-3", "0.1", "1e-3"],
    ["x=", ""],
    ["x=a,,b", "a", "", "b"],
    ["x=,", "", ""],
    ["x=a=b", "a=b"],
    ["x= a , b ", "a", "b"],
    ["x=a\\,b,c\\\\,\\d", "a,b", "c\\", "\\d"],
    ["x=a\\,,\\,", "a,", ","],
    ["x=a,b\\", "a", "b\\"],
    ["x=1..3", "1", "2", "3"],
    ["x=3..1", "3", "2", "1"],
    ["x=-1..1", "-1", "0", "1"],
    ["x=08..11", "08", "09", "10", "11"],
    ["x=-01..1", "-01", "000", "001"],
    ["x=1..10..4", "1", "5", "9"],
    ["x=0..1..0.25", "0.00", "0.25", "0.50", "0.75", "1.00"],
    ["x=0.3..0.1..-0.1", "0.3", "0.2", "0.1"],
    ["x=1..2,7,9..8", "1", "2", "7", "9", "8"],
    ["x=../data,a..b", "../data", "a..b"],
    ["x=5..5", "5"],
    ["x=-0.5..0.5..0.5", "-0.5", "0.0", "0.5"],
    ["x=9007199254740992..9007199254740994", "9007199254740992", "9007199254740993", "9007199254740994"],
    [
      "x=0.12345678901234567..0.12345678901234569..0.00000000000000001",
      "0.12345678901234567",
      "0.12345678901234568",
      "0.12345678901234569",
    ],
  ];
  for (const [text, ...values] of params) {
    it(`${text} has the values ${values.map((value) => JSON.stringify(value)).join(" ")}`, () => {
      expect(valuesOf(readParam(text))).to.deep.equal(values);
    });
  }

  it("takes linear time, for any number of backslashes", () => {
    expect(valuesOf(readParam(`x=a,${"\\".repeat(1_000_000)}`))).to.deep.equal(["a", "\\".repeat(500_000)]);
  });

  for (const text of ["", "x", "=1", "1x=1", "a b=1", "x=0.1..0.5", "x=1..5..0", "x=1..99999999"]) {
    it(`is refused: "${text}"`, () => {
      expect(() => readParam(text))
        .to.throw(FjordError)
        .with.property("code", "bad-usage");
    });
  }
});

describe("a sweep", () => {
  const lr = readParam("lr=0.1,0.01");
  const seed = readParam("seed=1..3");

  it("has all combinations, and the last dimension varies fastest", () => {
    expect(elements(new Sweep([lr, seed], false))).to.deep.equal([
      { index: "1", lr: "0.1", seed: "1" },
      { index: "2", lr: "0.1", seed: "2" },
      { index: "3", lr: "0.1", seed: "3" },
      { index: "4", lr: "0.01", seed: "1" },
      { index: "5", lr: "0.01", seed: "2" },
      { index: "6", lr: "0.01", seed: "3" },
    ]);
  });

  it("pairs the first values with each other, and so on, when zipped", () => {
    const sweep = new Sweep([lr, oneByOne("--each-line", "line", ["a", "b"])], true);
    expect(elements(sweep)).to.deep.equal([
      { index: "1", lr: "0.1", line: "a" },
      { index: "2", lr: "0.01", line: "b" },
    ]);
  });

  it("may be a number of repetitions", () => {
    expect(elements(new Sweep([repetition(2)], false))).to.deep.equal([{ index: "1" }, { index: "2" }]);
    expect(elements(new Sweep([lr, repetition(2)], false)).map((values) => values.lr)).to.deep.equal([
      "0.1",
      "0.1",
      "0.01",
      "0.01",
    ]);
  });

  it("reads fjd's parameters", () => {
    expect(elements(new Sweep([readParameters("a#b,c#")], false))).to.deep.equal([
      { index: "1", param1: "a", param2: "b" },
      { index: "2", param1: "c", param2: "" },
    ]);
  });

  it("has no index of its own when a parameter is called index in the job file", () => {
    const sweep = new Sweep([readParam("Index=5,6")], false);
    expect(elements(sweep)).to.deep.equal([{ Index: "5" }, { Index: "6" }]);
    expect([...sweep.names]).to.deep.equal(["Index"]);
    expect(elements(new Sweep([readParam("index=5,6")], false))).to.deep.equal([
      { index: "5" },
      { index: "6" },
    ]);
  });

  it("may have elements of several values, with their own index", () => {
    const objects = [new Map([["index", "seven"]]), new Map([["__proto__", "x"]])];
    const sweep = new Sweep([tuples("--from-json", objects)], false);
    expect([...sweep.names]).to.deep.equal(["index", "__proto__"]);
    expect([sweep.at(0), sweep.at(1)].map((values) => [...values])).to.deep.equal([
      [["index", "seven"]],
      [
        ["index", "2"],
        ["__proto__", "x"],
      ],
    ]);
  });

  it("computes each element only when a caller asks for it", () => {
    const sweep = new Sweep([readParam("a=1..1000"), readParam("b=1..1000")], false);
    expect(sweep.count).to.equal(1_000_000);
    expect(Object.fromEntries(sweep.at(999_999))).to.deep.equal({ index: "1000000", a: "1000", b: "1000" });
  });

  const misfits: [what: string, dimensions: Dimension[], isZipped: boolean, says: string][] = [
    ["two dimensions of the same name", [lr, readParam("lr=1")], false, '"lr" is given twice'],
    ["names that differ only in their case", [lr, readParam("LR=1")], false, '"LR" is "lr" in a job file'],
    [
      "zipped dimensions of different lengths",
      [lr, seed],
      true,
      "--param lr has 2 values and --param seed 3.",
    ],
    ["no elements", [oneByOne("--each-line x", "line", [])], false, "--each-line x has no values."],
    ["too many elements", [readParam("a=1..1001"), readParam("b=1..1000")], false, "1001000 jobs"],
  ];
  for (const [what, dimensions, isZipped, says] of misfits) {
    it(`cannot be made of ${what}`, () => {
      expect(() => new Sweep(dimensions, isZipped)).to.throw(FjordError, says);
    });
  }
});
