import { expect } from "chai";
import { FjordError } from "../../src/job/error.js";
import { readObjects } from "../../src/job/json-objects.js";

describe("objects of a JSON text as elements of a sweep", () => {
  const values = (text: string) => {
    const { count, at } = readObjects("--from-json f", text);
    return Array.from({ length: count }, (_, i) => Object.fromEntries(at(i)));
  };

  for (const number of [
    ...["9007199254740993", "-9007199254740993", "1e400", "-1E-400", "-0", "0", "1.0", "0.10", "1E5", "1e+5"],
    "3.14159265358979323846264338327950288",
    "9".repeat(500),
  ]) {
    it(`keep the digits of ${number.slice(0, 30)}`, () => {
      expect(values(`[{"n": ${number}}]`)).to.deep.equal([{ n: number }]);
      expect(values(`[{"n": [${number} , {"x":\n${number}}]}]`)).to.deep.equal([
        { n: `[${number},{"x":${number}}]` },
      ]);
    });
  }

  it("have strings as they are, null as an empty text, and other values as JSON", () => {
    const text =
      '\t[{"t": "1e400 \\"\\u00e9\\ud83d\\ude00\\n", "e": "", "n": null, "b": false, "l": [ ], "o": {"a": null}}]\r\n';
    expect(values(text)).to.deep.equal([
      { t: '1e400 "é😀\n', e: "", n: "", b: "false", l: "[]", o: '{"a":null}' },
    ]);
    expect(values("[]")).to.deep.equal([]);
    expect(values('[{}, {"b": {"value": "1", "isLosslessNumber": true}}]')).to.deep.equal([
      {},
      { b: '{"value":"1","isLosslessNumber":true}' },
    ]);
  });

  it("may have names that are special in JavaScript", () => {
    const { at } = readObjects("--from-json f", '[{"__proto__": 1e400, "toJSON": {"__proto__": 2}}]');
    expect([...at(0)]).to.deep.equal([
      ["__proto__", "1e400"],
      ["toJSON", '{"__proto__":2}'],
    ]);
  });

  for (const [text, says] of [
    ["", "f: JSON value expected but reached end of input at position 0."],
    ['[{"a":1} {"a":2}]', "f: Comma ',' expected after value but got '{' at position 9."],
    ['[{"a":1},]', "at position 9."],
    ['[{"a":01}]', "at position 7."],
    ['[{"a":.5}]', "at position 6."],
    ['[{"a":1.}]', "at position 8."],
    ['[{"a":+1}]', "at position 6."],
    ['[{"a":NaN}]', "at position 6."],
    ['[{"a":1}]x', "at position 9."],
    ['[{"a":"\u0001"}]', "f: Invalid character '\\u{1}' at position 7."],
    ['[{"a":1,"a":2}]', "f: Duplicate key 'a' encountered at position 9."],
    [`[{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}]`, "f is nested too deeply."],
    ["1e400", "f is not an array of objects."],
    ['[{"a":1},9007199254740993]', "f: element 2 is not an object."],
    ["[null]", "f: element 1 is not an object."],
  ] as const) {
    it(`are refused: ${JSON.stringify(text.slice(0, 30))}`, () => {
      expect(() => readObjects("--from-json f", text))
        .to.throw(FjordError, says)
        .with.property("code", "bad-usage");
    });
  }
});
