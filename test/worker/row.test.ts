import { expect } from "chai";
import { partsOf } from "../../src/worker/row.js";

describe("the parts of a row", () => {
  const job = (name: string, logfile?: string, isAlone = false) => ({ name, logfile, isAlone });
  const names = (...row: ReturnType<typeof job>[]) =>
    partsOf(row).map((part) => part.map(({ name }) => name));

  it("are one part for jobs that have nothing to do with each other", () => {
    expect(names(job("a"), job("b", "x.log"), job("c"), job("d", "y.log"))).to.deep.equal([
      ["a", "b", "c", "d"],
    ]);
    expect(names()).to.deep.equal([]);
  });

  it("separate a job that has to be alone", () => {
    const row = [job("a"), job("b"), job("c", undefined, true), job("d", undefined, true), job("e")];
    expect(names(...row)).to.deep.equal([["a", "b"], ["c"], ["d"], ["e"]]);
  });

  it("separate two jobs with the same logfile", () => {
    expect(names(job("a", "x"), job("b"), job("c", "x"), job("d"))).to.deep.equal([
      ["a", "b"],
      ["c", "d"],
    ]);
  });
});
