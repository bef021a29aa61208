import { expect } from "chai";
import { partsOf, rowOf } from "../../src/worker/row.js";

describe("the rows that a worker takes from its desk", () => {
  const rows = (mean: number) => Object.values(rowOf({ mean, spread: 0 }));

  it("have one job while the worker does not know how long its jobs take", () => {
    expect(rows(0)).to.deep.equal([1, 1]);
  });

  it("take up to 32 ms, with one row ahead", () => {
    expect(rows(0.0001)).to.deep.equal([16, 2]);
    expect(rows(0.002)).to.deep.equal([16, 2]);
    expect(rows(0.008)).to.deep.equal([4, 2]);
    expect(rows(0.017)).to.deep.equal([1, 2]);
  });

  it("have one job that takes longer than that, and the next one ahead", () => {
    expect(rows(0.03)).to.deep.equal([1, 2]);
    expect(rows(0.5)).to.deep.equal([1, 2]);
  });

  it("have no job ahead of a long one", () => {
    expect(rows(0.51)).to.deep.equal([1, 1]);
    expect(rows(3600)).to.deep.equal([1, 1]);
  });
});

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
