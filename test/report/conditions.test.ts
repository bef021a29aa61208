import { expect } from "chai";
import { FjordError } from "../../src/job/error.js";
import type { Outcome } from "../../src/job/outcome.js";
import type { AttemptRecord } from "../../src/ledger/attempts.js";
import { readCondition } from "../../src/report/conditions.js";

function attempt(outcome: Outcome | undefined, more: Partial<AttemptRecord> = {}): AttemptRecord {
  const which = { job: "j", attempt: 2, run: "node7-w-1.2", life: "node7-w-1.1" };
  const one = { ...which, worker: "node7-w-1", host: "node7", start: "", log: "", ...more };
  return outcome === undefined ? one : { ...one, outcome };
}

const LONG = attempt({ kind: "succeeded" }, { seconds: 5400, memory: 3e9, cpu: { user: 50, system: 10 } });
const KILLED = attempt(
  { kind: "failed", code: 137, signal: "SIGKILL" },
  { seconds: 2, memory: null, cpu: null },
);
const RUNNING = attempt(undefined);

describe("a condition", () => {
  const conditions: [text: string, long: boolean, killed: boolean, running: boolean][] = [
    ["duration > 1h", true, false, false],
    ["duration>1h", true, false, false],
    ["duration <= 2", false, true, false],
    ["duration < 1h 30m", false, true, false],
    ["duration = 1h 30m", true, false, false],
    ["memory >= 3GB", true, false, false],
    ["memory < 3GiB", true, false, false],
    ["cpu == 1m", true, false, false],
    ["exit = 0", true, false, false],
    ["exit != 0", false, true, false],
    ["signal = SIGKILL", false, true, false],
    ["outcome = failed", false, true, false],
    ["outcome != succeeded", false, true, false],
    ["host ~ node", true, true, true],
    ["host = node8", false, false, false],
    ["attempt = 2", true, true, true],
    ["worker = node7-w-1", true, true, true],
  ];
  for (const [text, ...meant] of conditions) {
    it(`"${text}" selects the attempts that it describes`, () => {
      expect([LONG, KILLED, RUNNING].map(readCondition(text))).to.deep.equal(meant);
    });
  }

  // biome-ignore format: a list
  const nonsense = ["", "duration", "duration 1h", "length > 1", "duration > long", "memory > 1h", "exit = three", "host =", "constructor = 1", "outcome = timedout", "outcome ="];
  for (const text of nonsense) {
    it(`is refused: "${text}"`, () => {
      expect(() => readCondition(text))
        .to.throw(FjordError)
        .with.property("code", "bad-usage");
    });
  }
});
