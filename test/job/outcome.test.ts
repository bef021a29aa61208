import { expect } from "chai";
import { describeOutcome, type Outcome, outcomeOfStatus } from "../../src/job/outcome.js";

describe("outcomes", () => {
  const statuses: [status: number, outcome: Outcome, text: string][] = [
    [0, { kind: "succeeded" }, "succeeded"],
    [1, { kind: "failed", code: 1 }, "exit code 1"],
    [127, { kind: "failed", code: 127 }, "exit code 127"],
    [128, { kind: "failed", code: 128 }, "exit code 128"],
    [129, { kind: "failed", code: 129, signal: "SIGHUP" }, "killed by SIGHUP"],
    [134, { kind: "failed", code: 134, signal: "SIGABRT" }, "killed by SIGABRT"],
    [137, { kind: "failed", code: 137, signal: "SIGKILL" }, "killed by SIGKILL"],
    [139, { kind: "failed", code: 139, signal: "SIGSEGV" }, "killed by SIGSEGV"],
    [143, { kind: "failed", code: 143, signal: "SIGTERM" }, "killed by SIGTERM"],
    [160, { kind: "failed", code: 160 }, "exit code 160"],
    [255, { kind: "failed", code: 255 }, "exit code 255"],
  ];
  for (const [status, outcome, text] of statuses) {
    it(`describes status ${status} as "${text}"`, () => {
      expect(outcomeOfStatus(status)).to.deep.equal(outcome);
      expect(describeOutcome(outcome)).to.equal(text);
    });
  }

  for (const status of [-1, 256, 1.5, Number.NaN]) {
    it(`refuses ${status}, which is not a status`, () =>
      expect(() => outcomeOfStatus(status)).to.throw(RangeError));
  }

  const others: [outcome: Outcome, text: string][] = [
    [{ kind: "timed-out", after: 7200 }, "timed out after 2 h"],
    [{ kind: "requeued", code: 75 }, "exit code 75: to be run again"],
    [{ kind: "lost" }, "lost with its worker"],
    [{ kind: "cancelled", reason: "" }, "cancelled"],
    [{ kind: "cancelled", reason: "by anna" }, "cancelled: by anna"],
    [{ kind: "refused", reason: "a.ini: is\nempty" }, "refused: a.ini: is\\nempty"],
  ];
  for (const [outcome, text] of others) {
    it(`describes ${outcome.kind} as ${JSON.stringify(text)}`, () => {
      expect(describeOutcome(outcome)).to.equal(text);
    });
  }

  it("throws for a value that is not an outcome", () => {
    expect(() => describeOutcome({ kind: "vanished" } as unknown as Outcome)).to.throw(/vanished/);
  });
});
