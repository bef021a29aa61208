import { expect } from "chai";
import { soak } from "../../scripts/soak/rounds.js";
import { SEED } from "../rig/dice.js";

/** Each of the four kinds of rounds runs once. */
const MINUTES = 3;

describe("soak: rounds with all faults, on each kind of project", () => {
  it(`finds nothing wrong for ${MINUTES} minutes`, async function () {
    this.timeout(15 * 60_000);
    expect(await soak({ minutes: MINUTES, seed: SEED, only: undefined })).to.equal(true);
  });
});
