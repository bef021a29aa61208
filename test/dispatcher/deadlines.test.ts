import { expect } from "chai";
import { Deadlines } from "../../src/dispatcher/deadlines.js";

type Name = "plain" | "resting" | "asleep";

describe("the deadlines of named looks", () => {
  let isAwake = false;
  let deadlines: Deadlines<Name>;
  beforeEach(() => {
    isAwake = false;
    deadlines = new Deadlines<Name>({
      plain: {},
      resting: { rest: () => 30 },
      asleep: { wakes: () => isAwake },
    });
  });

  const made = (now: number, apart: number) => {
    for (const name of ["plain", "resting", "asleep"] as const) deadlines.made(name, now, apart);
  };

  for (const [what, act, dueAt, untilNext] of [
    [
      "make all looks due at first",
      () => undefined,
      { plain: -1, resting: -1, asleep: -1 },
      Number.NEGATIVE_INFINITY,
    ],
    [
      "make each look wait after it was made",
      () => made(1000, 100),
      { plain: 1100, resting: 1100, asleep: 1100 },
      100,
    ],
    [
      "let the other looks wait when one look is made sooner",
      () => {
        made(1000, 100);
        deadlines.made("plain", 1000, 50);
      },
      { plain: 1050, resting: 1100, asleep: 1100 },
      50,
    ],
    [
      "make a hurried look due at once, or after its rest",
      () => {
        made(1000, 100);
        deadlines.hurry("resting");
        deadlines.hurry("asleep");
      },
      { plain: 1100, resting: 1030, asleep: 1000 },
      30,
    ],
    [
      "respect a rest that is longer than the time between two looks",
      () => made(1000, 10),
      { plain: 1010, resting: 1030, asleep: 1010 },
      10,
    ],
    [
      "cause no wake-up for a look that does not wake the dispatcher",
      () => {
        made(1000, 100);
        deadlines.made("asleep", 1000, 1);
      },
      { plain: 1100, resting: 1100, asleep: 1001 },
      100,
    ],
    [
      "cause a wake-up for that look, too, when the look wakes the dispatcher",
      () => {
        made(1000, 100);
        deadlines.made("asleep", 1000, 1);
        isAwake = true;
      },
      { plain: 1100, resting: 1100, asleep: 1001 },
      1,
    ],
    [
      "ignore the rest when all looks are hurried",
      () => {
        made(1000, 100);
        deadlines.hurryAll();
      },
      { plain: -1, resting: -1, asleep: -1 },
      Number.NEGATIVE_INFINITY,
    ],
  ] as [string, () => void, Record<Name, number>, number][]) {
    it(what, () => {
      act();
      for (const [name, at] of Object.entries(dueAt) as [Name, number][]) {
        expect(deadlines.isDue(name, at), `${name} at ${at}`).to.equal(true);
        if (at > 0) expect(deadlines.isDue(name, at - 1), `${name} before ${at}`).to.equal(false);
      }
      expect(deadlines.untilNext(1000)).to.equal(untilNext);
    });
  }

  it("say that a look is urgent until the look is made", () => {
    made(1000, 100);
    expect(deadlines.isHurried("plain")).to.equal(false);
    deadlines.hurry("plain");
    expect(deadlines.isHurried("plain")).to.equal(true);
    deadlines.made("plain", 1001, 100);
    expect(deadlines.isHurried("plain")).to.equal(false);
  });
});
