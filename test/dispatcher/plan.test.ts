import { expect } from "chai";
import { desiredDepth, type Load, plan, type Step } from "../../src/dispatcher/plan.js";

const WINDOW = 0.1;

function load(worker: string, jobs: number, pace = 0, still = 0): Load {
  return { worker, jobs, pace, still };
}

function give(worker: string, count: number): Step {
  return { kind: "give", worker, count };
}

function move(from: string, to: string): Step {
  return { kind: "move", from, to };
}

describe("how many jobs a desk should hold", () => {
  for (const [what, pace, bellRings, depth] of [
    ["unknown, the bell rings: the one to run", 0, true, 1],
    ["unknown, no bell: one ahead", 0, false, 2],
    ["jobs of hours: the order of the queue matters more", 3600, true, 1],
    ["just too long to lie ahead", 0.51, true, 1],
    ["just short enough for one ahead", 0.5, true, 2],
    ["a window's work for each: one ahead", 0.1, true, 2],
    ["ten in a window", 0.01, true, 11],
    ["a thousand in a window: no deeper than 64", 0.0001, true, 65],
    ["the same without a bell", 0.01, false, 11],
  ] as const) {
    it(what, () => {
      expect(desiredDepth(pace, WINDOW, bellRings)).to.equal(depth);
    });
  }
});

describe("the plan", () => {
  for (const [what, loads, waiting, steps] of [
    ["nobody there", [], 5, []],
    ["nothing waits", [load("a", 0), load("b", 1)], 0, []],
    ["one job for one worker", [load("a", 0)], 5, [give("a", 1)]],
    ["few jobs spread", [load("a", 0), load("b", 0), load("c", 0)], 2, [give("a", 1), give("b", 1)]],
    ["busy workers whose pace is unknown get none", [load("a", 1), load("b", 0)], 5, [give("b", 1)]],
    [
      "quick workers get batches, to one level",
      [load("a", 0, 0.01), load("b", 4, 0.01)],
      12,
      [give("a", 8), give("b", 4)],
    ],
    [
      "none gets more than its depth",
      [load("a", 0, 0.01), load("b", 0, 9)],
      100,
      [give("a", 11), give("b", 1)],
    ],
    ["a desk that is full gets none", [load("a", 11, 0.01)], 100, []],
    ["a desk that is too full gets none", [load("a", 40, 0.01)], 100, []],
    [
      "an idle one gets what lies ahead of another",
      [load("a", 5, 0.1), load("b", 0, 0.1)],
      0,
      [move("a", "b")],
    ],
    ["not while something waits", [load("a", 5, 0.1), load("b", 1, 9)], 1, []],
    ["not the job that runs", [load("a", 1, 0.1), load("b", 0, 0.1)], 0, []],
    ["not when it is worth nothing", [load("a", 3, 0.001), load("b", 0, 0.001)], 0, []],
    ["but when the one that runs takes long", [load("a", 3, 0.001, 3), load("b", 0)], 0, [move("a", "b")]],
    ["also when the pace is unknown", [load("a", 2), load("b", 0)], 0, [move("a", "b")]],
    [
      "several idle ones from whom has most",
      [load("a", 3, 0.1), load("b", 4, 0.1), load("c", 0), load("d", 0)],
      0,
      [move("b", "c"), move("a", "d")],
    ],
    ["no more than lie ahead", [load("a", 2, 0.1), load("b", 0), load("c", 0)], 0, [move("a", "b")]],
  ] as [string, Load[], number, Step[]][]) {
    it(what, () => {
      expect(plan(loads, waiting, WINDOW, true)).to.deep.equal(steps);
    });
  }

  it("gives one ahead where no bell rings", () => {
    expect(plan([load("a", 0), load("b", 1)], 10, 6, false)).to.deep.equal([give("a", 2), give("b", 1)]);
  });

  it("never gives more than waits, nor beyond a depth, whatever the loads", () => {
    for (let n = 0; n < 2000; n++) {
      const random = (most: number) => ((n + 1) * 7919 * (most + 13)) % most;
      const loads = Array.from({ length: (n % 7) + 1 }, (_, i) =>
        load(`w${i}`, (n * (i + 3)) % 9, [0, 0.001, 0.01, 0.3, 5][(n + i) % 5] ?? 0),
      );
      const waiting = random(40);
      const steps = plan(loads, waiting, WINDOW, n % 2 === 0);
      const given = steps.reduce((sum, step) => sum + (step.kind === "give" ? step.count : 0), 0);
      expect(given).to.be.at.most(waiting);
      for (const step of steps) {
        if (step.kind !== "give") continue;
        const { jobs, pace } = loads.find((one) => one.worker === step.worker) as Load;
        expect(step.count).to.be.greaterThan(0);
        expect(jobs + step.count).to.be.at.most(desiredDepth(pace, WINDOW, n % 2 === 0));
      }
      // Jobs are left over only when every desk is full.
      const full = loads.every(({ worker, jobs, pace }) => {
        const got = steps.reduce(
          (sum, s) => sum + (s.kind === "give" && s.worker === worker ? s.count : 0),
          0,
        );
        return jobs + got >= desiredDepth(pace, WINDOW, n % 2 === 0);
      });
      if (given < waiting) expect(full, JSON.stringify({ loads, waiting, steps })).to.equal(true);
    }
  });
});
