import { expect } from "chai";
import { parseResult, RESULT_LIMIT } from "../../src/job/job-result.js";

const read = (text: string) => parseResult(Buffer.from(text));

describe("the result that a job writes", () => {
  for (const [text, result] of [
    [
      '{"loss": 0.25, "epochs": 7, "tags": ["a"], "none": null}',
      { loss: 0.25, epochs: 7, tags: ["a"], none: null },
    ],
    ["\ufeff {}\n", {}],
    ["loss=0.25\nepochs = 7\n", { loss: 0.25, epochs: 7 }],
    ["# a comment\r\n\r\nname = two words = three\r\n", { name: "two words = three" }],
    ["empty =", { empty: "" }],
    ["a=1\na=2", { a: 2 }],
    ["small=-1.5e-3", { small: -0.0015 }],
    [
      "id=007\nlong=12345678901234567890\nhex=0x10\nhuge=1e999",
      { id: "007", long: "12345678901234567890", hex: "0x10", huge: "1e999" },
    ],
    [
      '{"id": 9007199254740993, "huge": [1e400, {"tiny": -1e-400}], "last": 9007199254740991}',
      { id: "9007199254740993", huge: ["1e400", { tiny: "-1e-400" }], last: 9007199254740991 },
    ],
    ['{"far": 1E300, "zero": [0.0, 0e5], "loss": 0.10}', { far: 1e300, zero: [0, 0], loss: 0.1 }],
    ["far=1e300\ntiny=1e-400\nzero=0.0", { far: 1e300, tiny: "1e-400", zero: 0 }],
    ['{"a": 1, "a": 2}', { a: 2 }],
    ["yes=true\nnan=NaN", { yes: "true", nan: "NaN" }],
  ] as const) {
    it(`is read: ${JSON.stringify(text)}`, () => {
      expect(read(text)).to.deep.equal({ ok: true, result });
    });
  }

  it("may have names that are special in JavaScript", () => {
    for (const text of ["__proto__=1", '{"__proto__": 1}']) {
      const reading = read(text);
      expect(reading.ok && Object.entries(reading.result)).to.deep.equal([["__proto__", 1]]);
    }
  });

  for (const [text, problem] of [
    ["", "is empty"],
    ["\n \n", "is empty"],
    ["0.93", "is neither a JSON object nor key=value: see its line 1"],
    ["a=1\n=2", "see its line 2"],
    ["[1, 2]", "is neither a JSON object nor key=value"],
    ['{"a": 1,}', "begins like JSON and is not"],
    ["a=\0", "contains a NUL"],
    [`a=${"x".repeat(RESULT_LIMIT)}`, `is larger than ${RESULT_LIMIT} bytes`],
    [`a=${"\u0001".repeat(RESULT_LIMIT / 4)}`, `is larger than ${RESULT_LIMIT} bytes as JSON`],
    [`{"a": ${"[".repeat(30_000)}${"]".repeat(30_000)}}`, "is nested deeper than"],
  ] as const) {
    it(`is refused: ${JSON.stringify(text).slice(0, 40)}`, () => {
      const reading = read(text);
      expect(reading.ok).to.equal(false);
      expect(!reading.ok && reading.problem).to.contain(problem);
    });
  }

  it("is refused when it is not UTF-8", () => {
    expect(parseResult(Uint8Array.of(0x61, 0x3d, 0xff))).to.deep.equal({
      ok: false,
      problem: "is not UTF-8",
    });
  });
});
