import { expect } from "chai";
import { pauseAfter } from "../../src/store/pause.js";

describe("the pause after a scan", () => {
  for (const [what, took, pause] of [
    ["has a minimum", 0, 100],
    ["grows with the duration of the scan", 20, 200],
    ["has a maximum, however long the scan took", 1e6, 30_000],
  ] as const) {
    it(what, () => {
      expect(pauseAfter(took, { times: 10, atLeast: 100, atMost: 30_000 })).to.equal(pause);
    });
  }
});
