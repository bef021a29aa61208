import { expect } from "chai";
import { judgeRetry, type RetryFacts, type RetryVerdict } from "../../src/dispatcher/retry-judgement.js";

const BACKOFF = 5;

describe("a job on the retry desk", () => {
  for (const [what, facts, verdict] of [
    [
      "is tried again after its first failure, with retries left",
      { failed: 1, requeued: false, retries: 2 },
      { kind: "again", backoff: 5, attempt: 2, of: 3 },
    ],
    [
      "gets its last retry with a doubled backoff",
      { failed: 2, requeued: false, retries: 2 },
      { kind: "again", backoff: 10, attempt: 3, of: 3 },
    ],
    [
      "is given up after one more failure",
      { failed: 3, requeued: false, retries: 2 },
      { kind: "given-up", reason: "all 3 attempts failed (retries: 2)" },
    ],
    [
      "returns to the queue without a failure when its name was taken",
      { failed: 0, requeued: false, retries: 0 },
      { kind: "return", backoff: 0 },
    ],
    [
      "runs again when it asked for that",
      { failed: 0, requeued: true, retries: 0 },
      { kind: "requeue", backoff: 5 },
    ],
    [
      "runs again after failures, always with the first backoff",
      { failed: 4, requeued: true, retries: 1 },
      { kind: "requeue", backoff: 5 },
    ],
  ] as [string, RetryFacts, RetryVerdict][]) {
    it(what, () => {
      expect(judgeRetry(facts, BACKOFF)).to.deep.equal(verdict);
    });
  }
});
