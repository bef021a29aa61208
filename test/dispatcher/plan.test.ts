import { expect } from "chai";
import { desiredDepth, type Load, plan, type Step, type Supply } from "../../src/dispatcher/plan.js";
import type { DemandCount } from "../../src/dispatcher/waiting.js";
import { type Capacity, type Demand, EVERY_DEMAND, NO_DEMAND } from "../../src/job/demand.js";

const SUPPLY: Supply = { refill: 0.1, ahead: 0.6 };
/** Supply where file events do not report changes. */
const SLOW: Supply = { refill: 6, ahead: 6 };

const GPU: Demand = { key: "gpu" };
const NO_GPU: Capacity = { fits: ({ key }) => key !== GPU.key };
const ONLY_GPU: Capacity = { fits: ({ key }) => key === GPU.key };

function load(worker: string, jobs: number, pace = 0, still = 0): Load {
  return holding(
    worker,
    Array.from({ length: jobs }, () => NO_DEMAND),
    EVERY_DEMAND,
    pace,
    still,
  );
}

/** A worker of some capacity, with the demands of the jobs on its desk. */
function holding(worker: string, demands: Demand[], capacity: Capacity, pace = 0, still = 0): Load {
  const jobs = new Map(demands.map((demand, n) => [`${n}.ini`, { demand }]));
  return { worker, capacity, jobs, pace, still };
}

function give(worker: string, count: number, demand = NO_DEMAND): Step {
  return { kind: "give", worker, demand, count };
}

function some(count: number, demand = NO_DEMAND): DemandCount[] {
  return count === 0 ? [] : [{ demand, count }];
}

function move(from: string, to: string, count = 1): Step {
  return { kind: "move", from, to, count };
}

describe("the desired depth of a desk", () => {
  for (const [what, pace, bellRings, depth] of [
    ["holds only the running job when the pace is unknown and the store notifies", 0, true, 1],
    ["holds one job ahead when the pace is unknown and the store does not notify", 0, false, 2],
    ["holds no job ahead when jobs take hours, because the order of the queue matters more", 3600, true, 1],
    ["holds no job ahead when jobs are just too long", 0.51, true, 1],
    ["holds one job ahead when jobs are just short enough", 0.5, true, 2],
    ["holds one job ahead when each job takes most of the wanted work", 0.45, true, 2],
    ["holds six jobs ahead when six are the wanted work", 0.1, true, 7],
    ["holds at most 512 jobs ahead, however short they are", 0.0001, true, 513],
    ["holds the same number when the store does not notify", 0.1, false, 7],
  ] as const) {
    it(what, () => {
      expect(desiredDepth(pace, SUPPLY, bellRings)).to.equal(depth);
    });
  }
});

describe("the plan", () => {
  for (const [what, loads, waiting, steps] of [
    ["is empty when no worker is there", [], 5, []],
    ["is empty when no job waits", [load("a", 0), load("b", 1)], 0, []],
    ["gives one job to one worker", [load("a", 0)], 5, [give("a", 1)]],
    ["spreads few jobs", [load("a", 0), load("b", 0), load("c", 0)], 2, [give("a", 1), give("b", 1)]],
    ["gives no job to busy workers whose pace is unknown", [load("a", 1), load("b", 0)], 5, [give("b", 1)]],
    [
      "gives quick workers batches, up to the same level",
      [load("a", 0, 0.01), load("b", 4, 0.01)],
      12,
      [give("a", 8), give("b", 4)],
    ],
    [
      "gives no worker more than its depth",
      [load("a", 0, 0.06), load("b", 0, 9)],
      100,
      [give("a", 11), give("b", 1)],
    ],
    [
      "fills desks that hold different numbers, each to its own depth",
      [load("a", 3, 0.2), load("b", 0, 0.3), load("c", 5, 0.1), load("d", 1, 0.1)],
      100,
      [give("a", 1), give("b", 3), give("c", 2), give("d", 6)],
    ],
    [
      "fills the desks that hold least first",
      [load("a", 3, 0.1), load("b", 1, 0.1), load("c", 5, 0.1)],
      5,
      [give("a", 2), give("b", 3)],
    ],
    ["gives no job to a full desk", [load("a", 11, 0.06)], 100, []],
    ["gives no job to a desk that holds too many", [load("a", 40, 0.06)], 100, []],
    [
      "moves half of the jobs that lie ahead to an idle worker",
      [load("a", 5, 0.1), load("b", 0, 0.1)],
      0,
      [move("a", "b", 2)],
    ],
    [
      "moves equal shares to several idle workers",
      [load("a", 401, 0.002), load("b", 0, 0.002), load("c", 0, 0.002), load("d", 0, 0.002)],
      0,
      [move("a", "b", 100), move("a", "c", 100), move("a", "d", 100)],
    ],
    [
      "moves no more jobs to an idle worker than its desk should hold",
      [load("a", 101, 0.05), load("b", 0, 0.2), load("c", 0)],
      0,
      [move("a", "b", 4), move("a", "c", 1)],
    ],
    [
      "shares out the jobs behind one that takes long, before the jobs that wait",
      [load("a", 11, 0.001, 7), load("b", 3, 0.1), load("c", 1, 0.1)],
      100,
      [move("a", "b", 4), move("a", "c", 6)],
    ],
    [
      "gives no more jobs to a worker whose job takes long",
      [load("a", 1, 0.001, 7), load("b", 0)],
      5,
      [give("b", 1)],
    ],
    [
      "moves no jobs behind one that may still end soon, while jobs wait",
      [load("a", 7, 0.1, 5), load("b", 0, 0.3)],
      100,
      [give("b", 3)],
    ],
    [
      "moves no jobs behind one that takes long to a full desk, or to another such desk",
      [load("a", 11, 0.001, 7), load("b", 7, 0.1), load("c", 5, 0.001, 8)],
      0,
      [],
    ],
    ["moves no job while a job waits in the queue", [load("a", 7, 0.1), load("b", 1, 9)], 1, []],
    ["does not move the running job", [load("a", 1, 0.1), load("b", 0, 0.1)], 0, []],
    ["moves no job when the move saves no time", [load("a", 3, 0.001), load("b", 0, 0.001)], 0, []],
    [
      "moves a job when the running job takes long",
      [load("a", 3, 0.001, 3), load("b", 0)],
      0,
      [move("a", "b")],
    ],
    ["moves a job when the pace is unknown", [load("a", 2), load("b", 0)], 0, [move("a", "b")]],
    [
      "moves jobs to several idle workers from those that hold most",
      [load("a", 3, 0.1), load("b", 4, 0.1), load("c", 0), load("d", 0)],
      0,
      [move("b", "c"), move("a", "d")],
    ],
    [
      "moves no more jobs than lie ahead",
      [load("a", 2, 0.1), load("b", 0), load("c", 0)],
      0,
      [move("a", "b")],
    ],
  ] as [string, Load[], number, Step[]][]) {
    it(what, () => {
      expect(plan(loads, some(waiting), SUPPLY, true)).to.deep.equal(steps);
    });
  }

  it("gives a worker one job ahead where the store has no notifications", () => {
    expect(plan([load("a", 0), load("b", 1)], some(10), SLOW, false)).to.deep.equal([
      give("a", 2),
      give("b", 1),
    ]);
  });

  it("never gives more jobs than wait, nor more than the depth allows, for any loads", () => {
    for (let n = 0; n < 2000; n++) {
      const random = (most: number) => ((n + 1) * 7919 * (most + 13)) % most;
      const loads = Array.from({ length: (n % 7) + 1 }, (_, i) =>
        load(`w${i}`, (n * (i + 3)) % 9, [0, 0.001, 0.01, 0.3, 5][(n + i) % 5] ?? 0),
      );
      const waiting = random(40);
      const steps = plan(loads, some(waiting), SUPPLY, n % 2 === 0);
      const given = steps.reduce((sum, step) => sum + (step.kind === "give" ? step.count : 0), 0);
      expect(given).to.be.at.most(waiting);
      for (const step of steps) {
        if (step.kind !== "give") continue;
        const { jobs, pace } = loads.find((one) => one.worker === step.worker) as Load;
        expect(step.count).to.be.greaterThan(0);
        expect(jobs.size + step.count).to.be.at.most(desiredDepth(pace, SUPPLY, n % 2 === 0));
      }
      // Jobs remain in the queue only when every desk is full.
      const full = loads.every(({ worker, jobs, pace }) => {
        const got = steps.reduce(
          (sum, s) => sum + (s.kind === "give" && s.worker === worker ? s.count : 0),
          0,
        );
        return jobs.size + got >= desiredDepth(pace, SUPPLY, n % 2 === 0);
      });
      if (given < waiting) expect(full, JSON.stringify({ n, waiting, steps })).to.equal(true);
    }
  });
});

describe("the plan for jobs of two demands", () => {
  for (const [what, loads, waiting, steps] of [
    [
      "gives a worker no job that does not fit",
      [holding("a", [], NO_GPU), holding("b", [], EVERY_DEMAND)],
      [...some(5, GPU)],
      [give("b", 1, GPU)],
    ],
    [
      "gives a worker the first demand that fits, even if another demand comes earlier",
      [holding("a", [], NO_GPU), holding("b", [], ONLY_GPU)],
      [...some(5, GPU), ...some(5)],
      [give("a", 1), give("b", 1, GPU)],
    ],
    [
      "gives one worker jobs of both demands, first all jobs of the demand whose turn comes first",
      [holding("a", [], EVERY_DEMAND, 0.3)],
      [...some(2, GPU), ...some(5)],
      [give("a", 2, GPU), give("a", 1)],
    ],
    [
      "fills the other desks when only one worker can run a job",
      [holding("a", [], NO_GPU, 0.3), holding("b", [NO_DEMAND], EVERY_DEMAND, 0.3)],
      [...some(1, GPU), ...some(10)],
      [give("a", 3), give("b", 1, GPU), give("b", 1)],
    ],
    [
      "moves no job while a job waits that no worker can run",
      [holding("a", [NO_DEMAND, NO_DEMAND, NO_DEMAND], NO_GPU, 0.1), holding("b", [], NO_GPU)],
      some(1, GPU),
      [],
    ],
    [
      "moves no job to an idle worker whose capacity is too small",
      [holding("a", [NO_DEMAND, GPU, GPU], EVERY_DEMAND, 0.1), holding("b", [], NO_GPU)],
      [],
      [],
    ],
    [
      "moves to each of two idle workers a job that fits",
      [
        holding("a", [NO_DEMAND, GPU, NO_DEMAND], EVERY_DEMAND, 0.1),
        holding("b", [], ONLY_GPU),
        holding("c", [], ONLY_GPU),
        holding("d", [], NO_GPU),
      ],
      [],
      [move("a", "b"), move("a", "d")],
    ],
  ] as [string, Load[], DemandCount[], Step[]][]) {
    it(what, () => {
      expect(plan(loads, waiting, SUPPLY, true)).to.deep.equal(steps);
    });
  }
});
