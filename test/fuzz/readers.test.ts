import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { FjordError } from "../../src/job/error.js";
import { parseIni } from "../../src/job/ini-dialect.js";
import { readJob } from "../../src/job/job.js";
import { withControlKeys, withParams } from "../../src/job/job-text.js";
import { Layout } from "../../src/project/layout.js";
import { readSettings } from "../../src/project/settings.js";
import { readHistory } from "../../src/report/attempts.js";
import { History } from "../../src/spool/history.js";
import { LedgerReader, parseLedger } from "../../src/spool/ledger.js";
import { openStore } from "../../src/spool/open-store.js";
import { type PythonReading, readWithPython, whyNoPython } from "../job/configparser.js";
import { CORPUS } from "../job/ini-corpus.js";

/** Inputs of each property. `npm run fuzz` takes 100,000. */
const RUNS = Number(process.env.FJORD_FUZZ ?? 2000);
/** Printed when something is found; it gives the same inputs again. */
const SEED = Number(process.env.FJORD_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Texts that Python is asked about at once. */
const BATCH = 2000;

/** What ini files are made of, and what they stumble over. */
const fragment = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom("[control]", "[fjd]", "[a]", "[DEFAULT]", "[sweep]", "[fjord]", "[", "]"),
  },
  {
    weight: 6,
    arbitrary: fc.constantFrom("\n", "\n\n", "\r\n", "\r", "\n  ", "\n\t", " ", "\u00a0", "\u2028", "\f"),
  },
  {
    weight: 6,
    arbitrary: fc.constantFrom("=", ":", " = ", ": ", "#", ";", " ;", "\n#", "\n;", "%", "\\", '"', "'"),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      "executable",
      "logfile",
      "timeout",
      "retries",
      "x",
      "Key",
      "__proto__",
      "toString",
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom("90", "1h", "-1", "true", "null", "é", "😀", "İ", "\u0000", "\uFEFF"),
  },
  { weight: 2, arbitrary: fc.string({ unit: "grapheme", maxLength: 8 }) },
);
const soup = fc.array(fragment, { maxLength: 25 }).map((parts) => parts.join(""));
const line = fc.tuple(
  fc.constantFrom("a", "b", "executable", " c", "D "),
  fc.constantFrom("=", ":", " = "),
  soup,
);
/** Mostly valid: a header, lines, now and then something else in between. */
const file = fc
  .tuple(
    fc.constantFrom("[control]\n", "[fjd]\n", "[a]\n", "[DEFAULT]\nz = 1\n[b]\n", "\uFEFF[a]\n", ""),
    fc.array(
      fc.oneof(
        line.map((parts) => parts.join("")),
        soup,
      ),
      { maxLength: 8 },
    ),
    fc.constantFrom("\n", "\r\n", "\r"),
  )
  .map(([header, lines, end]) => header + lines.join(end));
/** Files of the corpus with something put into them, taken out of them, or cut off. */
const mutant = fc
  .tuple(
    fc.constantFrom(...Object.values(CORPUS).filter((text) => typeof text === "string")),
    fc.nat(200),
    fc.nat(5),
    soup,
  )
  .map(([text, at, less, more]) => text.slice(0, at) + more + text.slice(at + less));
/** No text of bytes that are not UTF-8: Python reads texts here. */
const text = fc.oneof(soup, file, mutant).filter((one) => !/\p{Cs}/u.test(one));

function sampled<T>(arbitrary: fc.Arbitrary<T>): T[] {
  return fc.sample(arbitrary, { seed: SEED, numRuns: RUNS });
}

/** What both sides make of a text, in one shape. A NUL is a problem here alone. */
function ours(content: string): unknown {
  const reading = parseIni(Buffer.from(content));
  if (!reading.ok) return "a problem";
  return Object.fromEntries(
    [...reading.sections].map(([name, section]) => [name, Object.fromEntries(section)]),
  );
}

function theirs(python: PythonReading): unknown {
  if ("error" in python) return "a problem";
  return Object.fromEntries(python.sections.map(([name, values]) => [name, Object.fromEntries(values)]));
}

describe("fuzzed", () => {
  before(() => console.log(`    seed ${SEED}, ${RUNS} inputs each (FJORD_TEST_SEED, FJORD_FUZZ)`));
  const parameters = { seed: SEED, numRuns: RUNS };

  describe("the ini reader", () => {
    before(function () {
      const reason = whyNoPython();
      if (reason === undefined) return;
      console.log(`      skipped: python3 cannot be asked: ${reason}`);
      this.skip();
    });

    it("reads what Python's configparser reads, or refuses what it refuses", function () {
      this.timeout(600_000);
      const texts = sampled(text.filter((one) => !one.includes("\0")));
      let accepted = 0;
      for (let from = 0; from < texts.length; from += BATCH) {
        const batch = texts.slice(from, from + BATCH);
        const readings = readWithPython(batch.map((one) => ({ text: one })));
        for (const [i, one] of batch.entries()) {
          const python = readings[i]?.plain ?? { error: "none", line: null };
          if (!("error" in python)) accepted++;
          expect(ours(one), `seed ${SEED}: ${JSON.stringify(one)}`).to.deep.equal(theirs(python));
        }
      }
      // Had all been refused, or none, they would prove little.
      expect(accepted / texts.length).to.be.within(0.1, 0.9);
    });
  });

  describe("a job file", () => {
    const bytes = fc.oneof(
      text.map((one) => Buffer.from(one)),
      fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
    );

    it("is a job or is refused in one line, and never more than that", () => {
      fc.assert(
        fc.property(
          bytes,
          fc.boolean(),
          fc.constantFrom("j.ini", "j", "j.sh"),
          (content, executable, name) => {
            const reading = readJob(name, content, executable);
            if (reading.ok) return;
            expect(reading.reason)
              .to.match(/^j(\.\w+)?\b/)
              .and.to.not.match(/[\p{Cc}\u2028\u2029]/u);
          },
        ),
        parameters,
      );
    });

    it("keeps all else when keys are set in it, or it is not changed at all", () => {
      fc.assert(
        fc.property(
          text,
          fc.constantFrom("1h", "90", "2 d"),
          fc.string({ unit: "grapheme", maxLength: 12 }),
          (content, timeout, value) => {
            const before = parseIni(Buffer.from(content), { strictIn: new Set(["control", "fjd"]) });
            for (const change of [
              () => withControlKeys("j.ini", content, { timeout }),
              () => withParams("j.ini", content, new Map([["p", value]])),
            ]) {
              let changed: string;
              try {
                changed = change();
              } catch (error) {
                expect(error).to.be.instanceOf(FjordError);
                continue;
              }
              const after = parseIni(Buffer.from(changed), { strictIn: new Set(["control", "fjd"]) });
              if (before.ok) expect(after.ok, changed).to.equal(true);
              if (!before.ok || !after.ok) continue;
              for (const [name, section] of before.sections) {
                if (["control", "fjd", "params"].includes(name)) continue;
                expect([...(after.sections.get(name) ?? [])], changed).to.deep.equal([...section]);
              }
            }
          },
        ),
        parameters,
      );
    });
  });

  describe("settings.ini", () => {
    it("is read, or refused with the file's name and a hint", () => {
      const key = fc.constantFrom("store", "beat", "poll", "flush", "lost_after", "grace", "x");
      const value = fc.oneof(fc.constantFrom("yes", "local", "2 s", "0", "-1", "1e9"), soup);
      const settings = fc
        .array(fc.tuple(key, value), { maxLength: 6 })
        .map((lines) => `[fjord]\n${lines.map(([name, said]) => `${name} = ${said}`).join("\n")}\n`);
      fc.assert(
        fc.property(fc.oneof(text, settings), (content) => {
          try {
            for (const [name, said] of Object.entries(readSettings("settings.ini", Buffer.from(content)))) {
              expect(typeof said, name).to.be.oneOf(["number", "boolean", "string"]);
              if (typeof said === "number") expect(said, name).to.be.above(0);
            }
          } catch (error) {
            expect(error).to.be.instanceOf(FjordError);
            expect((error as FjordError).message).to.match(/^settings\.ini/);
            expect((error as FjordError).hint).to.not.equal("");
          }
        }),
        parameters,
      );
    });
  });

  describe("a ledger", () => {
    let directory = "";
    before(() => {
      directory = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-fuzz-"));
    });
    after(() => fs.rmSync(directory, { recursive: true, force: true }));

    const scalar = fc.oneof(
      fc.constantFrom<unknown>(null, "", "a", "b", 0, 1, 2, -1, 1.5, true, [], {}),
      fc.constantFrom<unknown>(
        { kind: "succeeded" },
        { kind: "failed", code: 1 },
        { kind: "requeued" },
        { kind: 7 },
      ),
      fc.constantFrom("jobdone", "jobfailed", "jobcancelled", "retry", "jobqueue", "__proto__"),
    );
    const event = fc.record(
      {
        v: fc.constantFrom<unknown>(1, 1, 1, 1, 2, "1"),
        t: fc.constantFrom<unknown>("2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z", 5),
        event: fc.constantFrom<unknown>(
          ...[
            "started",
            "ended",
            "lost",
            "retry",
            "discarded",
            "refused",
            "cancelled",
            "hired",
            "left",
            "new",
            7,
          ],
        ),
        job: fc.oneof(fc.constantFrom("a", "b", "__proto__"), scalar),
        attempt: fc.oneof(fc.constantFrom(1, 2, 3), scalar),
        worker: scalar,
        host: scalar,
        outcome: scalar,
        to: scalar,
        stamp: scalar,
        reason: scalar,
        result: scalar,
        because: scalar,
      },
      { requiredKeys: ["v", "t", "event"] },
    );
    const torn = fc.oneof(
      { weight: 5, arbitrary: event.map((one) => `${JSON.stringify(one)}\n`) },
      { weight: 1, arbitrary: event.map((one) => JSON.stringify(one).slice(0, 30)) },
      { weight: 1, arbitrary: fc.constantFrom("\n", "\0\0\0\n", "null\n", "[]\n", "{}\n", "é😀\n") },
    );
    const ledger = fc.array(torn, { maxLength: 12 }).map((lines) => lines.join(""));

    it("gives the same lines whether it is read at once or as it grows, wherever it is cut", async () => {
      const grown = path.join(directory, "grown.jsonl");
      await fc.assert(
        fc.asyncProperty(ledger, fc.array(fc.nat(400), { maxLength: 6 }), async (content, cuts) => {
          const bytes = Buffer.from(content);
          const whole = parseLedger(bytes.toString("utf8", 0, bytes.lastIndexOf(0x0a) + 1));
          fs.writeFileSync(grown, "");
          const reader = new LedgerReader(grown);
          const found: unknown[] = [];
          let at = 0;
          for (const cut of [...cuts.sort((a, b) => a - b), bytes.length]) {
            fs.appendFileSync(grown, bytes.subarray(at, Math.max(at, Math.min(cut, bytes.length))));
            at = Math.max(at, Math.min(cut, bytes.length));
            for await (const one of reader.read()) found.push(one);
          }
          expect(found).to.deep.equal(whole);
        }),
        { ...parameters, numRuns: Math.min(RUNS, 5000) },
      );
    });

    it("never stops who reads the history, whatever lines are in it", async () => {
      const project = path.join(directory, "project");
      const layout = new Layout(project);
      for (const dir of layout.directories()) fs.mkdirSync(dir, { recursive: true });
      const store = openStore(project, "local");
      await fc.assert(
        fc.asyncProperty(ledger, async (content) => {
          fs.writeFileSync(layout.ledgerOf("w"), content);
          const { attempts } = await readHistory(store, layout);
          for (const all of attempts.values()) {
            for (const { attempt, outcome } of all) {
              expect(attempt).to.be.a("number");
              if (outcome !== undefined) expect(outcome.kind).to.be.a("string");
            }
          }
          const { failed, lost } = await new History(store, layout).attemptsOf("a");
          expect(failed + lost).to.be.at.least(0);
        }),
        { ...parameters, numRuns: Math.min(RUNS, 20_000) },
      );
    });
  });
});
