import { expect } from "chai";
import {
  type AllEnded,
  hasJobs,
  isNothingLeft,
  judgeEnd,
  type Left,
  OPEN,
  untilProof,
} from "../../src/dispatcher/all-ended.js";

const NOTHING: Left = { onDesks: 0, onRetryDesk: 0, waiting: 0, areAllBlocked: true, isUnseen: false };
const ONE_WAITS: Left = { ...NOTHING, waiting: 1, areAllBlocked: false };
const ONE_IS_BLOCKED: Left = { ...NOTHING, waiting: 1 };
const OVER: AllEnded = { kind: "over" };
const PERHAPS: AllEnded = { kind: "perhaps", since: 1000 };
const NOW = 3000;

describe("whether any work is left", () => {
  for (const [what, left, isNothing] of [
    ["no jobs", NOTHING, true],
    ["a job on a desk", { ...NOTHING, onDesks: 1 }, false],
    ["a job on the retry desk", { ...NOTHING, onRetryDesk: 1 }, false],
    ["a job that waits", ONE_WAITS, false],
    ["a job that waits for a missing job", ONE_IS_BLOCKED, true],
    ["a change that no look has shown yet", { ...NOTHING, isUnseen: true }, false],
  ] as [string, Left, boolean][]) {
    it(what, () => {
      expect(isNothingLeft(left)).to.equal(isNothing);
    });
  }
});

describe("whether all jobs have ended", () => {
  for (const [what, before, left, hasBegun, after] of [
    ["no job has come yet", OPEN, NOTHING, false, OPEN],
    ["a job waits", OPEN, ONE_WAITS, true, OPEN],
    ["the last job has ended", OPEN, NOTHING, true, { kind: "perhaps", since: NOW }],
    ["a blocked job is left", OPEN, ONE_IS_BLOCKED, true, { kind: "perhaps", since: NOW }],
    ["no job has come since", PERHAPS, NOTHING, true, PERHAPS],
    ["a job has come since", PERHAPS, ONE_WAITS, true, OPEN],
    ["the end was reported, and no job comes", OVER, NOTHING, false, OVER],
    ["the end was reported, and a blocked job is left", OVER, ONE_IS_BLOCKED, false, OVER],
    ["the end was reported, and a job comes", OVER, ONE_WAITS, true, OPEN],
    [
      "the end was reported, and a job came and was cancelled",
      OVER,
      NOTHING,
      true,
      { kind: "perhaps", since: NOW },
    ],
  ] as [string, AllEnded, Left, boolean, AllEnded][]) {
    it(`follows from ${before.kind} and the queue: ${what}`, () => {
      expect(judgeEnd(before, left, hasBegun, NOW)).to.deep.equal(after);
    });
  }

  for (const [what, end, until] of [
    ["never while jobs are open", OPEN, Number.POSITIVE_INFINITY],
    ["when the settle time is over, if perhaps all have ended", PERHAPS, 500],
    ["never again once the end was reported", OVER, Number.POSITIVE_INFINITY],
  ] as [string, AllEnded, number][]) {
    it(`is proved ${what}`, () => {
      expect(untilProof(end, NOW, 2500)).to.equal(until);
    });
  }
});

describe("whether there are jobs to report", () => {
  for (const [what, before, left, has] of [
    ["none", OPEN, NOTHING, false],
    ["one that waits", OPEN, ONE_WAITS, true],
    ["one that is blocked", OPEN, ONE_IS_BLOCKED, true],
    ["one that is blocked and was reported", OVER, ONE_IS_BLOCKED, false],
    ["one that waits, after all had ended", OVER, ONE_WAITS, true],
    ["one on a desk, after all had ended", OVER, { ...NOTHING, onDesks: 1 }, true],
  ] as [string, AllEnded, Left, boolean][]) {
    it(what, () => {
      expect(hasJobs(before, left)).to.equal(has);
    });
  }
});
