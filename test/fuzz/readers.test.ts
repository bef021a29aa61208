import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { expect } from "chai";
import fc from "fast-check";
import { FjordError } from "../../src/job/error.js";
import { parseIni } from "../../src/job/ini-dialect.js";
import { readFully } from "../../src/job/ini-reader.js";
import { readJob, STRICT_SECTIONS } from "../../src/job/job.js";
import { withControlKeys, withParams } from "../../src/job/job-text.js";
import { readPlain } from "../../src/job/plain-ini.js";
import { readHistory } from "../../src/ledger/attempts.js";
import { Counts } from "../../src/ledger/counts.js";
import { parseLedger } from "../../src/ledger/line.js";
import { LedgerReader } from "../../src/ledger/reader.js";
import { Layout } from "../../src/project/layout.js";
import { readSettings } from "../../src/project/settings.js";
import { openStore } from "../../src/store/open-store.js";
import { type PythonReading, readWithPython, whyNoPython } from "../job/configparser.js";
import { CORPUS } from "../job/ini-corpus.js";
import { SEED } from "../rig/dice.js";
import { siteOf } from "../rig/site.js";
import { sized } from "../rig/sized.js";
import { NEARLY_PLAIN, nearlyPlainFiles, toldBy } from "./nearly-plain.js";

/** Inputs for each property. `npm run fuzz` takes 100,000. */
const RUNS = Number(process.env.FJORD_FUZZ ?? sized(300, 5000));
/** Inputs for the reader of plain files. This property takes less time than the others, and needs more inputs. */
const PLAIN_RUNS = Number(process.env.FJORD_FUZZ ?? sized(2000, 5000));
/** Printed with each error. The same seed produces the same inputs. */
/** Texts that one Python process reads. */
const BATCH = 2000;

/** Parts of ini files, and parts that break readers. */
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
/** Mostly valid text: headers, lines, and sometimes another part in between. */
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
/** Files of the corpus with a part added, removed or cut off. */
const mutant = fc
  .tuple(
    fc.constantFrom(...Object.values(CORPUS).filter((text) => typeof text === "string")),
    fc.nat(200),
    fc.nat(5),
    soup,
  )
  .map(([text, at, less, more]) => text.slice(0, at) + more + text.slice(at + less));
/** Only text that is valid UTF-8, because Python reads text here. */
const text = fc.oneof(soup, file, mutant).filter((one) => !/\p{Cs}/u.test(one));

function sampled<T>(arbitrary: fc.Arbitrary<T>): T[] {
  return fc.sample(arbitrary, { seed: SEED, numRuns: RUNS });
}

/** The result of both readers in one form. Only fjord refuses a NUL. */
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
      // A sample of only refused or only accepted texts would prove little.
      expect(accepted / texts.length).to.be.within(0.1, 0.9);
    });
  });

  describe("the reader of plain ini files", () => {
    const met = { plain: 0, valid: 0, invalid: 0 };
    beforeEach(() => Object.assign(met, { plain: 0, valid: 0, invalid: 0 }));

    /** Expects that the text is read as by the full reader, or is left to it. */
    function compare(content: string): void {
      const plain = readPlain(content);
      const kind = plain ? "plain" : readFully(content, {}).ok ? "valid" : "invalid";
      met[kind]++;
      if (plain === undefined) return;
      for (const options of [{}, { strictIn: STRICT_SECTIONS }, { strictIn: new Set<string>() }]) {
        const [found, wanted] = [plain, readFully(content, options)].map(toldBy);
        // Chai compares slowly, and does not see the order of a map.
        if (!isDeepStrictEqual(found, wanted)) expect(found, JSON.stringify(content)).to.deep.equal(wanted);
      }
    }

    /** Expects that a sample has many texts of each kind. Otherwise the sample would prove little. */
    function expectAllKinds(least: number): void {
      const all = met.plain + met.valid + met.invalid;
      for (const [kind, count] of Object.entries(met)) {
        expect(count / all, `share of ${kind} texts`).to.be.within(least, 0.7);
      }
    }

    it("gives what the full reader gives, or gives nothing", () => {
      const files = fc.oneof({ weight: 9, arbitrary: NEARLY_PLAIN }, { weight: 1, arbitrary: text });
      fc.assert(fc.property(files, compare), { seed: SEED, numRuns: PLAIN_RUNS });
      expectAllKinds(0.15);
    });

    it("does so for each file that differs from a plain one in one place", () => {
      for (const content of nearlyPlainFiles()) compare(content);
      expectAllKinds(0.05);
    });
  });

  describe("a job file", () => {
    const bytes = fc.oneof(
      text.map((one) => Buffer.from(one)),
      fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
    );

    it("is a job, or is refused with a message of one line", () => {
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

    it("keeps everything else when keys are set in it, or is not changed at all", () => {
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

    it("gives the same lines at once or as it grows, wherever it is cut", async () => {
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

    it("never stops fjord history, whatever lines are in it", async () => {
      const project = path.join(directory, "project");
      const layout = new Layout(project);
      for (const dir of layout.directories()) fs.mkdirSync(dir, { recursive: true });
      const site = siteOf(openStore(project, "local"), layout);
      await fc.assert(
        fc.asyncProperty(ledger, async (content) => {
          fs.writeFileSync(layout.ledgerOf("w"), content);
          const { attempts } = await readHistory(site);
          for (const all of attempts.values()) {
            for (const { attempt, outcome } of all) {
              expect(attempt).to.be.a("number");
              if (outcome !== undefined) expect(outcome.kind).to.be.a("string");
            }
          }
          const { failed, lost } = await new Counts(site).attemptsOf("a", {
            ino: 1,
            mtimeMs: 1,
          });
          expect(failed + lost).to.be.at.least(0);
        }),
        { ...parameters, numRuns: Math.min(RUNS, 20_000) },
      );
    });
  });
});
