import { expect } from "chai";
import { tabulate } from "../../src/report/results.js";

describe("the table of results", () => {
  it("has a column for each parameter and each result, in the order of their first appearance", () => {
    const table = tabulate([
      { job: "a", state: "done", params: { n: "1" }, results: { loss: 0.5, best: { epoch: 3 } } },
      { job: "b", state: "failed", params: { n: "2", m: "x" }, results: {} },
      { job: "c", state: "done", params: {}, results: { acc: null, loss: "none", ok: true } },
    ]);
    expect(table.columns).to.deep.equal(["job", "state", "n", "m", "loss", "best", "acc", "ok"]);
    expect(table.rows).to.deep.equal([
      ["a", "done", "1", "", "0.5", '{"epoch":3}', "", ""],
      ["b", "failed", "2", "x", "", "", "", ""],
      ["c", "done", "", "", "none", "", "", "true"],
    ]);
  });

  it("gives each column a different name", () => {
    const { columns } = tabulate([
      { job: "a", state: "done", params: { job: "x", n: "1" }, results: { n: 2, state: 3 } },
    ]);
    expect(columns).to.deep.equal(["job", "state", "param.job", "n", "result.n", "result.state"]);
  });
});
