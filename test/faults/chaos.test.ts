import { expect } from "chai";
import { type Bench, benches, Dice, QUICK, SEED } from "./harness.js";
import { Chaos, type Weights } from "./strikes.js";

/** Kills in all, over the rounds. */
const KILLS = Number(process.env.FJORD_CHAOS_KILLS ?? 80);

/** Whatever can happen to a crew. */
const ANYTHING: Weights = {
  "a worker killed": 35,
  "a dispatcher killed": 25,
  "a recruiter killed": 15,
  "a worker fired": 8,
  "somebody stopped": 9,
  "everybody killed": 8,
};

/** What happens beside that, and kills nobody. */
const AROUND: Weights = {
  "a worker killed": 20,
  "a dispatcher killed": 20,
  "an event loop stalled": 6,
  "a clock jumped": 15,
  "a waiting job moved away and back": 8,
  "a waiting job removed": 10,
  "a failed job moved back": 15,
  "the seat's lock removed": 6,
  "an order removed": 5,
  "a project read-only": 5,
};

describe("chaos: whatever is killed, whenever, nothing is lost", function () {
  this.timeout(Math.max(120_000, KILLS * 1500));
  this.slow(60_000);
  before(() => console.log(`    seed ${SEED}, ${KILLS} kills (FJORD_TEST_SEED, FJORD_CHAOS_KILLS)`));

  interface Round {
    readonly seed: number;
    /** Of all kills. */
    readonly share: number;
    readonly workers: number;
    readonly dispatchers: number;
    readonly weights: Weights;
  }

  async function survive(bench: Bench, { seed, share, ...options }: Round): Promise<void> {
    const chaos = new Chaos(bench, new Dice(SEED + seed), options);
    const kills = Math.round(KILLS * share);
    await chaos.rage(() => chaos.crew.kills >= kills);
    expect(chaos.crew.kills).to.be.at.least(kills);
    await chaos.settle();
  }

  const local = benches();

  it("workers, one at a time and all at once", async () => {
    const weights = { "a worker killed": 8, "all workers killed": 2 };
    await survive(local(), { seed: 0, share: 0.35, workers: 4, dispatchers: 1, weights });
  });

  it("dispatchers, with a standby behind each", async () => {
    const weights = { "a dispatcher killed": 1 };
    await survive(local(), { seed: 1, share: 0.2, workers: 2, dispatchers: 2, weights });
  });

  it("anybody: killed, stopped, fired, in the midst of a hire, everybody at once", async () => {
    await survive(local(), { seed: 2, share: 0.22, workers: 3, dispatchers: 2, weights: ANYTHING });
  });

  it("amid clocks that jump, event loops that stall, a read-only project, and somebody who moves and removes files", async () => {
    await survive(local(), { seed: 4, share: 0.06, workers: 3, dispatchers: 2, weights: AROUND });
  });

  describe("on a file system that is treated as a network's", () => {
    const remote = benches({ ...QUICK, store: "network", settle: "0.2 s", flush: "no" });

    it("anybody", async () => {
      await survive(remote(), { seed: 3, share: 0.2, workers: 3, dispatchers: 2, weights: ANYTHING });
    });
  });
});
