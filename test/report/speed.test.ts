import { expect } from "chai";
import { type Pace, paceAfter } from "../../src/job/pace.js";
import { speedOf } from "../../src/report/speed.js";
import type { Announcement } from "../../src/spool/announcement.js";

const NOW = Date.parse("2026-01-01T00:10:00.000Z");

/** A worker that has ended jobs of these lengths and has run the next one for `runs`. Both are in seconds. */
function worker(took: readonly number[], runs = 0, host = "here"): Announcement {
  const { mean, spread } = took.reduce<Pace>(paceAfter, { mean: 0, spread: 0 });
  const job = { name: "j", attempt: 1, started: new Date(NOW - runs * 1000).toISOString() };
  return { worker: "w", host, state: "busy", pace: mean, spread, job } as Announcement;
}

const times = (n: number, seconds: number) => Array.from({ length: n }, () => seconds);

describe("the rate at which jobs end", () => {
  const told: [what: string, workers: Announcement[], rate: number, left: number | undefined][] = [
    ["one worker that has ended one job", [worker([2])], 0.5, 20],
    ["two similar workers", [worker(times(9, 2)), worker(times(3, 2), 2.5)], 1, 10],
    ["a fast and a slow host", [worker(times(9, 1)), worker(times(9, 10), 0, "there")], 1.1, 10 / 1.1],
    ["jobs that vary a little", [worker([1, 2, 1.5, 1, 2, 1.5, 1])], 0.8, 13],
    ["one worker that has not ended a job yet", [worker(times(9, 1)), worker([])], 2, 5],
    ["short jobs and a long one", [worker([...times(9, 0.1), 60])], 0.08, undefined],
    ["short jobs, and a long one some time ago", [worker([60, ...times(9, 0.1)])], 0.12, undefined],
    ["short jobs, and now a long one", [worker(times(30, 0.1)), worker(times(30, 0.1), 60)], 10, undefined],
    [
      "short jobs, and a worker whose first job is long",
      [worker(times(30, 0.1)), worker([], 60)],
      10,
      undefined,
    ],
    ["a job on another host, whose clock is not compared,", [worker(times(30, 1), 999, "there")], 1, 10],
  ];
  for (const [what, workers, rate, left] of told) {
    it(`with ${what}: ${left === undefined ? "the remaining time is unknown" : "the remaining time is estimated"}`, () => {
      const speed = speedOf(workers, 10, "here", NOW);
      expect(speed?.rate).to.be.closeTo(rate, rate * 0.25);
      if (left === undefined) expect(speed?.left).to.equal(undefined);
      else expect(speed?.left).to.be.closeTo(left, left * 0.25);
    });
  }

  it("is unknown before a job has ended", () => {
    expect(speedOf([], 10, "here", NOW)).to.equal(undefined);
    expect(speedOf([worker([], 5)], 10, "here", NOW)).to.equal(undefined);
    expect(speedOf([{ ...worker([1]), state: "idle" }], 10, "here", NOW)).to.equal(undefined);
  });
});
