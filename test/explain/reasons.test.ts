import { expect } from "chai";
import type { JobFacts, Reason } from "../../src/explain/job-facts.js";
import { explain } from "../../src/explain/reasons.js";
import type { SinglePlace } from "../../src/jobs/places.js";
import type { WorkerStatus } from "../../src/report/status.js";

function worker(state: WorkerStatus["state"], id = "w"): WorkerStatus {
  return { worker: id, host: "node7", state } as WorkerStatus;
}

function facts(place: Partial<SinglePlace>, more: Partial<JobFacts> = {}): JobFacts {
  return {
    place: { kind: "job", job: "j", file: "j.ini", state: "waiting", path: "/p/jobqueue/j.ini", ...place },
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
    retry: undefined,
    directory: undefined,
    lastLine: "",
    toRetry: (job) => job,
    toType: (command) => command,
    ...more,
  };
}

function again(backoff: number): JobFacts["retry"] {
  return { kind: "again", backoff, attempt: 3, of: 3 };
}

const attempt = {
  ...{ run: "w.2", life: "w.1" },
  job: "j",
  attempt: 2,
  worker: "w",
  host: "node7",
  start: "2026-01-01T00:00:00.000Z",
  end: "2026-01-01T00:00:10.000Z",
  seconds: 10,
  log: "/p/joblogs/j.2.log",
} as const;

describe("the reasons for the state of a job", () => {
  it("name the user who holds the job for an edit, and what happens after the edit", () => {
    const mark = {
      file: "j.ini",
      by: "ann@node8",
      process: { pid: 12, start: "3", space: "s" },
      since: "2026-01-01T00:00:00.000Z",
      to: "jobqueue",
      stamp: "",
      copy: "",
    } as const;
    const why = (holder: "alive" | "dead" | "unknown", to: "jobqueue" | "jobheld" = "jobqueue") =>
      explain(facts({ state: "held" }, { edit: { ...mark, to, holder } })).map(
        ({ text, todo }) => `${text} → ${todo}`,
      );
    const who = "ann@node8 edits it (process 12, since 2026-01-01T00:00:00.000Z).";
    expect(why("alive")).to.deep.equal([`${who} → end that editor, or fjord release j`]);
    expect(why("unknown")).to.deep.equal([`${who} → if nobody edits it there any more: fjord release j`]);
    expect(why("dead")).to.deep.equal([
      `${who} That process is dead. A dispatcher puts it back. → fjord release j`,
    ]);
    expect(why("dead", "jobheld")).to.deep.equal([
      `${who} That process is dead. It was held before. → fjord release j`,
    ]);
  });

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
      facts({ state: "retrying" }, { retry: again(2), isDispatched: false }),
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

  it("name each job that the job waits for, and what to do about each", () => {
    const after = ["none", "wait", "done", "bad", "held"].map((job) => ({ job, on: "ok" }) as const);
    const dependencies = new Map([
      ["wait", { standing: "open", state: "waiting" }],
      ["done", { standing: "succeeded", state: "done" }],
      ["bad", { standing: "failed", state: "failed" }],
      ["held", { standing: "unknown", state: "held" }],
    ] as const);
    const reasons = explain(facts({}, { file: { kind: "valid", after, retries: 0 }, dependencies }));
    expect(reasons.map(({ text, todo }) => [text, todo])).to.deep.equal([
      ["It waits for none, but there is no job of that name.", "submit that job, or edit this one"],
      ["It waits for wait, which is waiting.", undefined],
      ["It waits for bad, which is failed.", "fjord retry bad"],
      ["It waits for held, which is held.", "fjord release held"],
    ]);
  });

  it("say until when the job backs off, and how the attempt ended", () => {
    const failed = { ...attempt, outcome: { kind: "failed", code: 3 } as const };
    const [reason] = explain(facts({ state: "retrying" }, { attempts: [failed], retry: again(4) }));
    expect(reason?.text).to.equal(
      "Attempt 2 ended: exit code 3, its failure 2 of 3; the backoff is 4 s, until 2026-01-01T00:00:14.000Z by its worker's clock.",
    );
    const [endless] = explain(facts({ state: "retrying" }, { attempts: [failed], retry: again(1e13) }));
    // JavaScript has no date that late, so the text names none.
    expect(endless?.text).to.equal("Attempt 2 ended: exit code 3, its failure 2 of 3.");
  });

  it("say how a job failed, and what the job printed last", () => {
    const failed = { ...attempt, outcome: { kind: "failed", code: 139, signal: "SIGSEGV" } as const };
    const [reason] = explain(
      facts({ state: "failed" }, { attempts: [failed], lastLine: "at x.c:3\u001b[0m" }),
    );
    expect(reason?.text).to.match(/^Its attempt 2 ended: killed by SIGSEGV\. Its last line: at x\.c:3/);
    expect(reason?.text).not.to.contain("\u001b");
  });

  it("say what a shell means by the exit code of a failed job", () => {
    const textOf = (code: number) => {
      const failed = { ...attempt, outcome: { kind: "failed", code } as const };
      return explain(facts({ state: "failed" }, { attempts: [failed] }))[0]?.text;
    };
    expect(textOf(127)).to.match(
      /^Its attempt 2 ended: exit code 127\. The shell returns 127 when it does not find a program/,
    );
    expect(textOf(126)).to.match(
      /^Its attempt 2 ended: exit code 126\. .* not executable, and fjord for a workdir that cannot be entered\.$/,
    );
    expect(textOf(125)).to.equal("Its attempt 2 ended: exit code 125.");
  });
});
