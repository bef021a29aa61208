import { expect } from "chai";
import { formatProgress, parseProgress } from "../../src/job/job-progress.js";

describe("the progress that a job reports", () => {
  for (const [told, progress, shown] of [
    ["40", { done: 40, of: 100, text: "" }, "40%"],
    ["40%", { done: 40, of: 100, text: "" }, "40%"],
    ["12.5", { done: 12.5, of: 100, text: "" }, "12%"],
    ["3/7", { done: 3, of: 7, text: "" }, "42% (3/7)"],
    ["3/7 epoch 3", { done: 3, of: 7, text: "epoch 3" }, "42% (3/7) epoch 3"],
    ["99.99 almost", { done: 99.99, of: 100, text: "almost" }, "99% almost"],
    ["9/7", { done: 9, of: 7, text: "" }, "100% (9/7)"],
    ["1/0", { done: null, of: null, text: "1/0" }, "1/0"],
    ["warming up", { done: null, of: null, text: "warming up" }, "warming up"],
    ["-3", { done: null, of: null, text: "-3" }, "-3"],
  ] as const) {
    it(`is read and shown: ${JSON.stringify(told)}`, () => {
      const read = parseProgress(told);
      expect(read).to.deep.equal(progress);
      expect(read && formatProgress(read)).to.equal(shown);
    });
  }

  it("is undefined when the text is blank", () => {
    expect(parseProgress(" \t")).to.equal(undefined);
  });

  it("is undefined when the text holds control characters", () => {
    expect(parseProgress("40 \u001b[2J")).to.equal(undefined);
    expect(parseProgress("\0".repeat(1024))).to.equal(undefined);
  });

  it("is cut when the text is long", () => {
    expect(parseProgress(`5 ${"x".repeat(5000)}`)?.text).to.have.length(81);
  });
});
