import { SEED } from "../rig/dice.js";
import { ANYTHING, survive, type Weights } from "./strikes.js";
import { QUICK, witnessedProjectPerTest } from "./witnessed-project.js";

/** Number of kills in all rounds together. */
const KILLS = Number(process.env.FJORD_CHAOS_KILLS ?? 80);

/** Faults that kill no process, beside some kills. */
const AROUND: Weights = {
  "a worker killed": 20,
  "a dispatcher killed": 20,
  "an event loop stalled": 6,
  "a clock jumped": 15,
  "a waiting job moved away and back": 8,
  "a waiting job removed": 10,
  "a failed job moved back": 15,
  "the dispatcher lock removed": 6,
  "an order removed": 5,
  "a project read-only": 5,
};

describe("chaos: no kill at any time loses a job", function () {
  this.timeout(Math.max(120_000, KILLS * 1500));
  this.slow(60_000);
  before(() => console.log(`    seed ${SEED}, ${KILLS} kills (FJORD_TEST_SEED, FJORD_CHAOS_KILLS)`));
  const kills = (share: number) => Math.round(KILLS * share);
  const local = witnessedProjectPerTest();

  it("kills workers, one at a time and all at once", async () => {
    const weights = { "a worker killed": 8, "all workers killed": 2 };
    await survive(local(), { seed: SEED, kills: kills(0.35), workers: 4, dispatchers: 1, weights });
  });

  it("kills dispatchers, with a standby behind each", async () => {
    const weights = { "a dispatcher killed": 1 };
    await survive(local(), { seed: SEED + 1, kills: kills(0.2), workers: 2, dispatchers: 2, weights });
  });

  it("kills, stops and fires any process, in the middle of a hire, and all processes at once", async () => {
    const weights = ANYTHING;
    await survive(local(), { seed: SEED + 2, kills: kills(0.22), workers: 3, dispatchers: 2, weights });
  });

  it("kills while clocks jump, event loops stall, the project is read-only, and an operator moves and removes files", async () => {
    const weights = AROUND;
    await survive(local(), { seed: SEED + 4, kills: kills(0.06), workers: 3, dispatchers: 2, weights });
  });

  describe("on a file system that is treated as a network's", () => {
    const remote = witnessedProjectPerTest({ ...QUICK, store: "network", settle: "0.2 s", flush: "no" });

    it("kills any process", async () => {
      const weights = ANYTHING;
      await survive(remote(), { seed: SEED + 3, kills: kills(0.2), workers: 3, dispatchers: 2, weights });
    });
  });
});
