import fs from "node:fs";
import { expect } from "chai";
import { Dependencies } from "../../src/dispatcher/dependencies.js";
import { Retries } from "../../src/dispatcher/retries.js";
import { Stock } from "../../src/dispatcher/stock.js";
import { explainJobs } from "../../src/explain/explain-jobs.js";
import type { Reason } from "../../src/explain/job-facts.js";
import { parseAfter } from "../../src/job/after.js";
import { findJobs } from "../../src/jobs/find.js";
import { Counts } from "../../src/ledger/counts.js";
import { Ledger } from "../../src/ledger/ledger.js";
import type { LedgerEvent } from "../../src/ledger/line.js";
import { stampAt } from "../../src/spool/finish.js";
import { sitePerTest } from "../rig/site.js";

/** Compares the decisions of the dispatcher with the reasons of `explain` for the same files. */
describe("explain and the dispatcher agree", () => {
  const site = sitePerTest();

  /** Writes a job file that is old enough for the dispatcher to read at once. @param age seconds */
  function put(path: string, keys: Record<string, unknown> = {}, age = 100): void {
    const lines = Object.entries({ executable: "true", ...keys }).map(([key, value]) => `${key} = ${value}`);
    fs.writeFileSync(path, ["[control]", ...lines, ""].join("\n"));
    fs.utimesSync(path, Date.now() / 1000 - age, Date.now() / 1000 - age);
  }

  async function reasonsOf(job: string): Promise<readonly Reason[]> {
    const places = (await findJobs(site())).filter((place) => place.job === job);
    const [explanation] = await explainJobs(site(), places, undefined);
    return explanation?.reasons ?? [];
  }

  it("on the order of the queue", async () => {
    const { layout } = site();
    const queue: [name: string, priority: number, age: number][] = [
      ["young", 0, 10],
      ["old", 0, 30],
      ["urgent", 5, 20],
      ["later", -1, 900],
      ["a-twin", 0, 20],
      ["b-twin", 0, 20],
    ];
    for (const [name, priority, age] of queue) put(layout.queued(`${name}.ini`), { priority }, age);
    const ledger = { append: async () => undefined };
    const stock = new Stock({ ...site(), ledger }, { refused: () => undefined, cancelled: () => undefined });
    await stock.list();
    while (stock.isBehind) {
      await stock.listOn();
      await stock.readOn();
    }
    const taken = queue.map(() => stock.take(() => true)?.file.replace(".ini", "") ?? "");
    expect(new Set(taken).size).to.equal(queue.length);
    for (const [before, job] of taken.entries()) {
      const said = (await reasonsOf(job)).find(({ kind }) => kind === "not-first")?.text ?? "";
      expect(Number(/^(\d+) jobs? (?:is|are) before it/.exec(said)?.[1] ?? 0), `${job}: ${said}`).to.equal(
        before,
      );
    }
  });

  const DEPENDENCIES: readonly [what: string, after: string, lay: () => void][] = [
    ["a job that does not exist", "other", () => undefined],
    ["a job that waits", "other", () => put(site().layout.queued("other.ini"))],
    ["a job that is held", "other", () => put(site().layout.held("other.ini"))],
    ["a job that is held, with any outcome", "other:any", () => put(site().layout.held("other.ini"))],
    ["a job that has succeeded", "other", () => put(site().layout.ended("jobdone", "other.ini"))],
    ["a job that has failed", "other", () => put(site().layout.ended("jobfailed", "other.ini"))],
    [
      "a job that has failed, with any outcome",
      "other:any",
      () => put(site().layout.ended("jobfailed", "other.ini")),
    ],
    ["a job that was cancelled", "other", () => put(site().layout.ended("jobcancelled", "other.ini"))],
    ["a script that has succeeded", "other", () => put(site().layout.ended("jobdone", "other"))],
    [
      "two jobs, one of which has failed",
      "other, second",
      () => {
        put(site().layout.queued("other.ini"));
        put(site().layout.ended("jobfailed", "second.ini"));
      },
    ],
    [
      "a job that failed and runs again",
      "other",
      () => {
        put(site().layout.ended("jobfailed", "other.ini"));
        put(site().layout.queued("other.ini"));
      },
    ],
  ];
  for (const [what, after, lay] of DEPENDENCIES) {
    it(`on a job that waits for ${what}`, async () => {
      const { layout } = site();
      lay();
      put(layout.queued("job.ini"), { after });
      const said = (await reasonsOf("job")).filter(({ kind }) => kind === "after");
      const open = new Set((await findJobs(site(), new Set(["waiting"]))).map(({ job }) => job));
      const ledger = await Ledger.open(site().store, layout.ledgerOf("d"), false);
      const dependencies = new Dependencies({ ...site(), id: "d", ledger }, (job) => open.has(job));
      const { free, cancelled } = await dependencies.resolve([
        { file: "job.ini", job: "job", after: parseAfter(after) ?? [] },
      ]);
      await ledger.close();
      const decided = cancelled.length > 0 ? "never" : free.length > 0 ? "free" : "waits";
      const isNever = said.some(({ todo = "" }) => todo.startsWith("fjord retry"));
      expect(isNever ? "never" : said.length === 0 ? "free" : "waits", JSON.stringify(said)).to.equal(
        decided,
      );
    });
  }

  const FAILED = { kind: "failed", code: 1 } as const;
  const REQUEUED = { kind: "requeued", code: 75 } as const;
  const RETRIES: readonly [
    what: string,
    retries: number,
    outcomes: readonly (typeof FAILED | typeof REQUEUED)[],
  ][] = [
    ["has failed once", 2, [FAILED]],
    ["has failed twice", 2, [FAILED, FAILED]],
    ["has failed as often as it may", 1, [FAILED, FAILED]],
    ["may not be retried", 0, [FAILED]],
    ["asked to run again", 0, [REQUEUED]],
    ["failed and then asked to run again", 1, [FAILED, REQUEUED]],
    ["asked to run again and then failed", 1, [REQUEUED, FAILED]],
    ["has not failed, and waits for its name", 1, []],
  ];
  for (const [what, retries, outcomes] of RETRIES) {
    it(`on a job of the retry desk that ${what}`, async () => {
      const { store, layout } = site();
      put(layout.toRetry("job.ini"), { retries });
      const stamp = (await stampAt(store, layout.toRetry("job.ini"))) ?? "";
      const worker = await Ledger.open(store, layout.ledgerOf("w"), false);
      const times = {
        host: "h",
        start: "2026-01-01T00:00:00.000Z",
        end: "2026-01-01T00:00:01.000Z",
        seconds: 1,
      };
      for (const [i, outcome] of outcomes.entries()) {
        const which = { job: "job", attempt: i + 1, run: `w.${i + 1}`, worker: "w" };
        const ended: LedgerEvent = {
          ...{ event: "ended", ...which, outcome, to: "retry", stamp, ...times, cpu: null, memory: null },
        };
        await worker.append(ended);
      }
      await worker.close();
      const said = (await reasonsOf("job"))[0]?.text ?? "";
      const dispatcher = await Ledger.open(store, layout.ledgerOf("d"), false);
      const [decision] = await new Retries({ ...site(), ledger: dispatcher }, new Counts(site())).decide(
        1000,
      );
      await dispatcher.close();
      if (decision?.kind === "again") {
        expect(said).to.include(`its failure ${decision.attempt - 1} of ${decision.of};`);
      } else if (decision?.kind === "given-up")
        expect(said).to.include(`${decision.reason}, so a dispatcher gives it up`);
      else {
        expect(decision).to.equal(undefined);
        expect(said).to.match(
          outcomes.length === 0 ? /^Another job with the same name/ : /to be run again; the backoff is/,
        );
      }
    });
  }
});
