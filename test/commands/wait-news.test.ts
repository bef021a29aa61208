import { expect } from "chai";
import { NOTHING_TOLD, newsOf, type Situation } from "../../src/cli/wait-news.js";

const WELL: Situation = { waiting: 1, running: 1, held: [], hasWorker: true, hasDispatcher: true };
const NO_WORKER = { ...WELL, hasWorker: false };
const NO_DISPATCHER = { ...WELL, hasDispatcher: false };
const NOBODY = { ...NO_WORKER, hasDispatcher: false };
const HELD = { ...WELL, held: ["a", "b"] };

const LINES = {
  noWorker: "No worker is on duty: recruiter hire --project p",
  workerNow: "A worker is on duty now.",
  noDispatcher: "Nobody dispatches: dispatcher --project p",
  dispatcherNow: "A dispatcher is at work now.",
  held: "Held until they are released: a, b: fjord release JOB… --project p",
  heldB: "Held until they are released: b: fjord release JOB… --project p",
};

describe("the news of a wait", () => {
  const cases: [what: string, looks: readonly (readonly [Situation, ...string[]])[]][] = [
    ["are empty while a worker and a dispatcher are there", [[WELL], [WELL], [WELL]]],
    [
      "report a worker or dispatcher that is missing from the start at once, and only once",
      [[NOBODY, LINES.noWorker, LINES.noDispatcher], [NOBODY], [NOBODY]],
    ],
    [
      "report that a missing worker or dispatcher has come",
      [[NOBODY, LINES.noWorker, LINES.noDispatcher], [WELL, LINES.workerNow, LINES.dispatcherNow], [WELL]],
    ],
    [
      "report a worker that goes at the second look, each time a worker goes",
      [
        [WELL],
        [NO_WORKER],
        [NO_WORKER, LINES.noWorker],
        [NO_WORKER],
        [WELL, LINES.workerNow],
        [NO_WORKER],
        [NO_WORKER, LINES.noWorker],
      ],
    ],
    [
      "report a dispatcher that goes at the second look",
      [
        [WELL],
        [NO_DISPATCHER],
        [NO_DISPATCHER, LINES.noDispatcher],
        [NO_DISPATCHER],
        [WELL, LINES.dispatcherNow],
      ],
    ],
    [
      "omit a worker or dispatcher that is replaced before the second look",
      [[WELL], [NO_DISPATCHER], [WELL], [NO_WORKER], [WELL], [NO_DISPATCHER], [NO_WORKER], [WELL]],
    ],
    [
      "report a missing worker or dispatcher only when a job needs one",
      [
        [{ ...NOBODY, waiting: 0, running: 0, held: ["a", "b"] }, LINES.held],
        [NOBODY, "No longer held: a, b."],
        [NOBODY, LINES.noWorker, LINES.noDispatcher],
      ],
    ],
    [
      "report a missing dispatcher while a job runs",
      [[{ ...NO_DISPATCHER, waiting: 0 }, LINES.noDispatcher]],
    ],
    [
      "report jobs that are held and released, but not those held only for a moment, as for an edit",
      [
        [WELL],
        [{ ...WELL, held: ["a"] }],
        [WELL],
        [HELD],
        [HELD, LINES.held],
        [{ ...WELL, held: ["a"] }, "No longer held: b."],
        [HELD],
        [HELD, LINES.heldB],
        [WELL, "No longer held: a, b."],
      ],
    ],
  ];
  for (const [what, looks] of cases) {
    it(what, () => {
      let told = NOTHING_TOLD;
      for (const [situation, ...lines] of looks) {
        const news = newsOf(told, situation, { named: "p", isInJob: false });
        expect(news.lines).to.deep.equal(lines);
        told = news.told;
      }
    });
  }

  it("name, inside a job, only workers other than the worker of this job", () => {
    const waiter = { named: undefined, isInJob: true };
    const first = newsOf(NOTHING_TOLD, NO_WORKER, waiter);
    expect(first.lines).to.deep.equal(["No other worker than that of this job is on duty: recruiter hire"]);
    expect(newsOf(first.told, WELL, waiter).lines).to.deep.equal(["Another worker is on duty now."]);
  });
});
