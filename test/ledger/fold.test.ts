import { expect } from "chai";
import type { Outcome } from "../../src/job/outcome.js";
import { type Closing, Fold, type Run } from "../../src/ledger/fold.js";
import { type LedgerEvent, parseLedger } from "../../src/ledger/line.js";
import { byNumber, livesOf } from "../../src/ledger/lives.js";

const FAILED: Outcome = { kind: "failed", code: 1 };
const DONE: Outcome = { kind: "succeeded" };

/** Two job files with the same name, one after the other: stamps of each file at several times. */
const FIRST = { 1: "7:1:100:1", 2: "7:1:200:1", 3: "7:1:300:1" };
const SECOND = { 1: "8:1:500:2" };

const which = (run: string, attempt: number) => ({ job: "a", attempt, run, worker: run.slice(0, 1) });
const started = (run: string, attempt: number, stamp: string): LedgerEvent => ({
  ...{ event: "started", log: "", stamp },
  ...which(run, attempt),
});
const ended = (
  run: string,
  attempt: number,
  outcome: Outcome,
  to: "jobdone" | "jobfailed" | "jobqueue" | "retry",
  stamp: string,
): LedgerEvent => ({
  ...{ event: "ended", outcome, to, stamp, host: "h", start: "2026", end: "", seconds: 1 },
  ...{ cpu: null, memory: null },
  ...which(run, attempt),
});
const lost = (run: string, attempt: number, to: "jobqueue" | "jobfailed"): LedgerEvent => ({
  ...{ event: "lost", reason: "dead", to },
  ...which(run, attempt),
});
const discarded = (run: string, attempt: number): LedgerEvent => ({
  ...{ event: "discarded", reason: "fenced" },
  ...which(run, attempt),
});
const retry = (attempt: number, to: "jobqueue" | "jobfailed", stamp: string): LedgerEvent =>
  ({ event: "retry", job: "a", attempt, to, reason: "", stamp }) as LedgerEvent;
const cancelled = (attempt: number): LedgerEvent => ({
  ...{ event: "cancelled", job: "a", attempt, by: "ann", reason: "by ann" },
});
const refused: LedgerEvent = { event: "refused", job: "a", file: "a.ini", reason: "empty" };

const text = (events: readonly LedgerEvent[]) =>
  events.map((event) => `${JSON.stringify({ v: 1, t: "2026-01-01T00:00:00.000Z", ...event })}\n`).join("");

interface Row {
  /** The name of the test, as a sentence about the job `a`. */
  readonly it: string;
  /** Ledgers. They are folded in this order and in the reverse order. */
  readonly ledgers: readonly (readonly LedgerEvent[])[];
  /** The runs of each life: `RUN END`, and the directory into which the end puts the job. */
  readonly lives: readonly (readonly string[])[];
  readonly closings?: readonly string[];
}

const TABLE: readonly Row[] = [
  {
    it: "runs while no line records an end",
    ledgers: [[started("w.1", 1, FIRST[1])]],
    lives: [["w.1 open"]],
  },
  {
    it: "succeeds at once",
    ledgers: [[started("w.1", 1, FIRST[1]), ended("w.1", 1, DONE, "jobdone", FIRST[1])]],
    lives: [["w.1 succeeded jobdone"]],
  },
  {
    it: "fails, is tried again by another worker, and is given up",
    ledgers: [
      [ended("w.1", 1, FAILED, "retry", FIRST[1])],
      [retry(1, "jobqueue", FIRST[2]), retry(2, "jobfailed", FIRST[3])],
      [ended("v.1", 2, FAILED, "retry", FIRST[2])],
    ],
    lives: [["w.1 failed retry", "v.1 failed retry"]],
    closings: ["given-up 2"],
  },
  {
    it: "asks to be run again",
    ledgers: [[ended("w.1", 1, { kind: "requeued", code: 75 }, "retry", FIRST[1])]],
    lives: [["w.1 requeued retry"]],
  },
  {
    it: "goes back to the queue when its worker is fired",
    ledgers: [[ended("w.1", 1, { kind: "cancelled", reason: "fired" }, "jobqueue", FIRST[1])]],
    lives: [["w.1 cancelled jobqueue"]],
  },
  {
    it: "is lost, even if its worker recorded an end before or after",
    ledgers: [
      [started("w.1", 1, FIRST[1]), ended("w.1", 1, DONE, "jobdone", FIRST[1])],
      [lost("w.1", 1, "jobqueue")],
    ],
    lives: [["w.1 lost jobqueue"]],
  },
  {
    it: "is lost with its last attempt, although a zombie discards the run",
    ledgers: [
      [ended("w.1", 1, DONE, "jobdone", FIRST[1]), discarded("w.1", 1)],
      [lost("w.1", 1, "jobfailed")],
    ],
    lives: [["w.1 lost jobfailed"]],
  },
  {
    it: "is discarded by a worker that had recorded an end",
    ledgers: [[ended("w.1", 1, FAILED, "retry", FIRST[1])], [discarded("w.1", 1)]],
    lives: [["w.1 discarded"]],
  },
  {
    it: "runs again after a zombie, and only the later run has an end",
    ledgers: [
      [started("w.1", 1, FIRST[1]), ended("w.1", 1, FAILED, "jobfailed", FIRST[1])],
      [lost("w.1", 1, "jobqueue")],
      [started("v.1", 2, FIRST[2]), ended("v.1", 2, DONE, "jobdone", FIRST[2])],
    ],
    lives: [["w.1 lost jobqueue", "v.1 succeeded jobdone"]],
  },
  {
    it: "is another file after a file with the same name, and each file has its own life",
    ledgers: [
      [ended("w.1", 1, FAILED, "jobfailed", FIRST[1])],
      [started("v.1", 1, SECOND[1]), ended("v.1", 1, DONE, "jobdone", SECOND[1])],
    ],
    lives: [["w.1 failed jobfailed"], ["v.1 succeeded jobdone"]],
  },
  {
    it: "continues its life after `fjord retry`, although its logs were removed and numbers began again",
    ledgers: [[ended("w.1", 1, FAILED, "jobfailed", FIRST[1])], [ended("v.1", 1, DONE, "jobdone", FIRST[2])]],
    lives: [["w.1 failed jobfailed", "v.1 succeeded jobdone"]],
  },
  {
    it: "continues its life when it replaces its own file",
    ledgers: [
      [
        started("w.1", 1, FIRST[1]),
        {
          ...ended("w.1", 1, FAILED, "retry", SECOND[1]),
          claimed: FIRST[1],
        } as LedgerEvent,
      ],
      [ended("v.1", 2, DONE, "jobdone", SECOND[1])],
    ],
    lives: [["w.1 failed retry", "v.1 succeeded jobdone"]],
  },
  {
    it: "is cancelled while it waits",
    ledgers: [[ended("w.1", 1, FAILED, "retry", FIRST[1])], [cancelled(1)]],
    lives: [["w.1 failed retry"]],
    closings: ["cancelled 1"],
  },
  { it: "is refused", ledgers: [[refused]], lives: [], closings: ["refused a.ini"] },
];

function foldTexts(texts: readonly string[]) {
  const fold = new Fold(() => undefined);
  for (const one of texts) for (const line of parseLedger(one)) fold.note(line);
  return fold;
}

function endOf({ run, end }: Run): string {
  const kind = end.kind === "ended" ? end.outcome.kind : end.kind;
  return "to" in end ? `${run} ${kind} ${end.to}` : `${run} ${kind}`;
}

function nameOf(closing: Closing): string {
  return `${closing.kind} ${closing.kind === "refused" ? closing.file : closing.attempt}`;
}

/** The lives in the order of their first runs. */
function livesIn(fold: Fold): string[][] {
  const runs = [...(fold.jobs.get("a")?.runs.values() ?? [])].sort(byNumber);
  return livesOf(runs).map((life) => life.map(endOf));
}

describe("the fold of ledger lines: a job", () => {
  for (const { it: sentence, ledgers, lives, closings = [] } of TABLE) {
    it(sentence, () => {
      for (const order of [ledgers, ledgers.toReversed()]) {
        const fold = foldTexts(order.map(text));
        expect(livesIn(fold)).to.deep.equal(lives);
        expect(fold.jobs.get("a")?.closings.map(nameOf)).to.deep.equal(closings);
      }
    });
  }

  it("has not ended when the last line is torn", () => {
    const whole = text([started("w.1", 1, FIRST[1])]);
    const torn = text([ended("w.1", 1, DONE, "jobdone", FIRST[1])]);
    for (const cut of [1, 40, torn.length - 1]) {
      expect(livesIn(foldTexts([whole + torn.slice(0, cut)]))).to.deep.equal([["w.1 open"]]);
    }
  });

  it("has one value for each run, which changes line by line", () => {
    const fold = new Fold(() => undefined);
    const [first, second] = parseLedger(
      text([started("w.1", 1, FIRST[1]), ended("w.1", 1, DONE, "jobdone", FIRST[1])]),
    );
    const run = first && fold.note(first);
    expect(run && "end" in run && run.end.kind).to.equal("open");
    expect(second && fold.note(second)).to.equal(run);
    expect(run && "end" in run && run.end.kind).to.equal("ended");
    expect(run?.stamps).to.deep.equal([FIRST[1]]);
  });

  it("keeps the details that a reader asks for until the reader forgets the job", () => {
    const fold = new Fold((line, before: string | undefined) => `${before ?? ""}${line.event} `);
    for (const line of parseLedger(text([started("w.1", 1, FIRST[1]), lost("w.1", 1, "jobqueue")]))) {
      fold.note(line);
    }
    expect(fold.jobs.get("a")?.runs.get("w.1")?.details).to.equal("started lost ");
    fold.forget("a");
    expect([...fold.jobs.keys()]).to.deep.equal([]);
  });
});
