import { expect } from "chai";
import { explain, type JobFacts, type Reason } from "../../src/report/explain.js";
import type { JobPlace } from "../../src/report/jobs.js";
import type { WorkerStatus } from "../../src/report/status.js";

function worker(state: WorkerStatus["state"], id = "w"): WorkerStatus {
  return { worker: id, host: "node7", state } as WorkerStatus;
}

function facts(place: Partial<JobPlace>, more: Partial<JobFacts> = {}): JobFacts {
  return {
    place: { job: "j", file: "j.ini", state: "waiting", path: "/p/jobqueue/j.ini", ...place },
    file: { kind: "valid", after: [], retries: 2 },
    dependencies: new Map(),
    circle: undefined,
    isDispatched: true,
    workers: [worker("idle")],
    before: 0,
    queued: 1,
    beforeInArray: undefined,
    namesake: undefined,
    attempts: [],
    refusal: undefined,
    cancellation: undefined,
    backoff: 0,
    directory: undefined,
    lastLine: "",
    toRetry: (job) => job,
    toType: (command) => command,
    ...more,
  };
}

const attempt = {
  job: "j",
  attempt: 2,
  worker: "w",
  host: "node7",
  start: "2026-01-01T00:00:00.000Z",
  end: "2026-01-01T00:00:10.000Z",
  seconds: 10,
  log: "/p/joblogs/j.2.log",
} as const;

describe("why a job is where it is", () => {
  for (const [what, given, kinds] of [
    ["the next one", facts({}), ["next"]],
    ["nobody dispatches", facts({}, { isDispatched: false }), ["next", "nobody-dispatches"]],
    ["no worker", facts({}, { workers: [] }), ["no-worker"]],
    ["the only worker is dead", facts({}, { workers: [worker("dead")] }), ["no-worker"]],
    [
      "workers that take nothing",
      facts({}, { workers: [worker("leaving"), worker("stalled", "v")] }),
      ["no-worker"],
    ],
    ["none is free", facts({}, { workers: [worker("busy")], before: 3 }), ["not-first", "none-free"]],
    ["too many to count", facts({}, { before: undefined, queued: 99_999 }), ["not-first"]],
    ["a namesake", facts({}, { namesake: "running" }), ["namesake"]],
    [
      "an invalid file",
      facts({}, { file: { kind: "invalid", reason: "no" }, isDispatched: false }),
      ["invalid"],
    ],
    ["half-written", facts({}, { file: { kind: "unsettled" } }), ["unsettled"]],
    ["on a desk", facts({ worker: "w" }, { workers: [worker("busy")] }), ["on-desk"]],
    ["on a dead worker's desk", facts({ worker: "w" }, { workers: [worker("dead")] }), ["worker-dead"]],
    ["held", facts({ state: "held" }), ["held"]],
    ["running", facts({ state: "running", worker: "w" }), ["running"]],
    [
      "backing off",
      facts({ state: "retrying" }, { backoff: 2, isDispatched: false }),
      ["backing-off", "nobody-dispatches"],
    ],
    ["done", facts({ state: "done" }), ["succeeded"]],
    ["refused", facts({ state: "failed" }, { refusal: "bad key" }), ["refused"]],
    [
      "failed, refused once before",
      facts({ state: "failed" }, { refusal: "bad key", attempts: [attempt] }),
      ["failed"],
    ],
    ["cancelled", facts({ state: "cancelled" }), ["cancelled"]],
  ] as [string, JobFacts, Reason["kind"][]][]) {
    it(what, () => {
      const reasons = explain(given);
      expect(reasons.map(({ kind }) => kind)).to.deep.equal(kinds);
    });
  }

  it("names each job that it waits for, and what to do about that one", () => {
    const after = ["none", "wait", "done", "bad", "held"].map((job) => ({ job, on: "ok" }) as const);
    const dependencies = new Map([
      ["wait", "waiting"],
      ["done", "done"],
      ["bad", "failed"],
      ["held", "held"],
    ] as const);
    const reasons = explain(facts({}, { file: { kind: "valid", after, retries: 0 }, dependencies }));
    expect(reasons.map(({ text, todo }) => [text, todo])).to.deep.equal([
      ["It is to run after none, and there is no such job.", "submit that one, or edit this one"],
      ["It is to run after wait, which is waiting.", undefined],
      ["It is to run after bad, which is failed.", "fjord retry bad"],
      ["It is to run after held, which is held.", "fjord release held"],
    ]);
  });

  it("says until when it backs off, and how the attempt ended", () => {
    const failed = { ...attempt, outcome: { kind: "failed", code: 3 } as const };
    const [reason] = explain(facts({ state: "retrying" }, { attempts: [failed], backoff: 4 }));
    expect(reason?.text).to.equal(
      "Attempt 2 of 3 ended: exit code 3; it backs off for 4 s, until 2026-01-01T00:00:14.000Z by its worker's clock.",
    );
  });

  it("says of a failed one how it failed and what it said last", () => {
    const failed = { ...attempt, outcome: { kind: "failed", code: 139, signal: "SIGSEGV" } as const };
    const [reason] = explain(
      facts({ state: "failed" }, { attempts: [failed], lastLine: "at x.c:3\u001b[0m" }),
    );
    expect(reason?.text).to.match(/^Its attempt 2 ended: killed by SIGSEGV\. Its last line: at x\.c:3/);
    expect(reason?.text).not.to.contain("\u001b");
  });

  it("says of a failed one what a shell means by its exit code", () => {
    const textOf = (code: number) => {
      const failed = { ...attempt, outcome: { kind: "failed", code } as const };
      return explain(facts({ state: "failed" }, { attempts: [failed] }))[0]?.text;
    };
    expect(textOf(127)).to.match(
      /^Its attempt 2 ended: exit code 127\. A shell says so of a program that is not/,
    );
    expect(textOf(126)).to.match(
      /^Its attempt 2 ended: exit code 126\. .* not executable, fjord of a workdir that cannot be entered\.$/,
    );
    expect(textOf(125)).to.equal("Its attempt 2 ended: exit code 125.");
  });
});
