import { expect } from "chai";
import { isTimeToHalt, parseHalt } from "../../src/job/halt.js";

describe("the halt condition of a run", () => {
  it("has GNU parallel's notation", () => {
    expect(parseHalt("soon,fail=3")).to.deep.equal({ when: "soon", fail: 3 });
    expect(parseHalt("now, fail=20%")).to.deep.equal({ when: "now", share: 0.2 });
    expect(parseHalt("soon,fail=100%")).to.deep.equal({ when: "soon", share: 1 });
    for (const text of [
      "",
      "soon",
      "now,fail=0",
      "now,fail=0%",
      "now,fail=101%",
      "later,fail=1",
      "now,fail=-1",
    ]) {
      expect(parseHalt(text), text).to.equal(undefined);
    }
  });

  for (const [text, failed, total, isTime] of [
    ["soon,fail=2", 1, 10, false],
    ["soon,fail=2", 2, 10, true],
    ["soon,fail=2", 3, 10, true],
    ["soon,fail=20%", 1, 10, false],
    ["soon,fail=20%", 2, 10, true],
    ["soon,fail=1%", 0, 10, false],
    ["soon,fail=1%", 1, 10, true],
    ["soon,fail=100%", 9, 10, false],
    ["soon,fail=100%", 10, 10, true],
  ] as const) {
    it(`${text} is ${isTime ? "met" : "not met"} when ${failed} of ${total} failed`, () => {
      expect(isTimeToHalt(parseHalt(text) ?? { when: "soon" }, failed, total)).to.equal(isTime);
    });
  }
});
