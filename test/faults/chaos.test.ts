import { SEED } from "../rig/dice.js";
import { ANYTHING, survive } from "./strikes.js";
import { witnessedProjectPerTest } from "./witnessed-project.js";

describe("chaos: no kill at any time loses a job", () => {
  before(() => console.log(`    seed ${SEED} (FJORD_TEST_SEED)`));
  const project = witnessedProjectPerTest();

  it("kills any process, eight times", async () => {
    await survive(project(), { seed: SEED, kills: 8, workers: 3, dispatchers: 2, weights: ANYTHING });
  });
});
