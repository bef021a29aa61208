import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { FjordError } from "../../src/job/error.js";
import { formatIni, type IniReading, parseIni } from "../../src/job/ini-dialect.js";
import { Dice } from "../rig/dice.js";
import { sized } from "../rig/sized.js";
import {
  type PythonReading,
  type PythonReadings,
  readWithPython,
  type Values,
  whyNoPython,
} from "./configparser.js";
import { CORPUS } from "./ini-corpus.js";
import { awkward } from "./ini-random.js";

/** Number of random texts for each test. */
const TEXTS = sized(600, 3000);
const OURS = { strictIn: new Set(["control", "fjd"]) };
/** The seed is fixed, because the tests below count how many texts are accepted. `FJORD_TEST_SEED` tries other texts. */
const SEED = Number(process.env.FJORD_TEST_SEED ?? 20_260_101);

function sorted(values: Iterable<[string, string]>): Values {
  return [...values].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** fjord's reading in the form of Python's. It has the line of a problem only where Python names one. */
function asData(reading: IniReading, python: PythonReading) {
  if (!reading.ok) return "error" in python && python.line !== null ? { line: reading.line } : "a problem";
  return {
    sections: [...reading.sections].map(([name, section]) => [name, sorted(section)]),
    defaults: sorted(reading.defaults),
  };
}

function expected(python: PythonReading) {
  if ("error" in python) return python.line === null ? "a problem" : { line: python.line };
  return {
    sections: python.sections.map(([name, values]) => [name, sorted(values)]),
    defaults: sorted(python.defaults),
  };
}

function expectSame(what: string, content: Uint8Array | string, python: PythonReadings): void {
  const said = `${what}: ${JSON.stringify(typeof content === "string" ? content : [...content])}`;
  const strict = parseIni(content);
  expect(strict.ok, `${said} (plain)`).to.equal(!("error" in python.plain));
  if (strict.ok)
    expect(asData(strict, python.plain), `${said} (plain)`).to.deep.equal(expected(python.plain));
  if (python.strict)
    expect(asData(strict, python.strict), `${said} (strict)`).to.deep.equal(expected(python.strict));
  if (!python.lenient) return;
  const lenient = parseIni(content, OURS);
  expect(asData(lenient, python.lenient), `${said} (lenient)`).to.deep.equal(expected(python.lenient));
}

describe("the ini dialect, compared with Python's configparser,", () => {
  before(function () {
    const reason = whyNoPython();
    if (reason === undefined) return;
    console.log(`      skipped: python3 cannot be asked: ${reason}`);
    this.skip();
  });

  it("reads every file of the corpus as configparser does", async () => {
    const directory = await mkdtemp(join(tmpdir(), "fjord-ini-"));
    try {
      const files = await Promise.all(
        Object.entries(CORPUS).map(async ([what, content], index) => {
          const path = join(directory, `${index}.ini`);
          await writeFile(path, content);
          return { what, content, path };
        }),
      );
      expect(files.length).to.be.greaterThan(60);
      const python = readWithPython(files.map(({ path }) => ({ path })));
      expect(python).to.have.length(files.length);
      files.forEach(({ what, content }, index) => {
        const bytes = typeof content === "string" ? Buffer.from(content) : content;
        expectSame(what, bytes, python[index] as PythonReadings);
      });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  it("reads random files as configparser does", () => {
    const make = awkward(new Dice(SEED));
    const texts = Array.from({ length: TEXTS }, () => make.file());
    const python = readWithPython(texts.map((text) => ({ text })));
    texts.forEach((text, index) => {
      expectSame(`seed ${SEED}, file ${index}`, Buffer.from(text), python[index] as PythonReadings);
    });
    // The comparison proves little if all random texts are refused, or all accepted.
    const accepted = python.filter(({ plain }) => !("error" in plain)).length;
    expect(accepted, "accepted by Python").to.be.within(TEXTS / 5, (TEXTS * 4) / 5);
  });

  it("writes texts that both read as the same values", () => {
    const make = awkward(new Dice(SEED + 1));
    const written: { values: Record<string, Record<string, string>>; text: string }[] = [];
    for (let i = 0; i < TEXTS; i++) {
      const values = { [make.header()]: { [make.key()]: make.value(), b: make.value() }, other: { c: "1" } };
      try {
        written.push({ values, text: formatIni(values) });
      } catch (error) {
        if (!(error instanceof FjordError)) throw error;
      }
    }
    expect(written.length, "values that can be written").to.be.within(TEXTS / 6, (TEXTS * 29) / 30);
    const python = readWithPython(written);
    written.forEach(({ values, text }, index) => {
      const said = `seed ${SEED + 1}: ${JSON.stringify(values)} written as ${JSON.stringify(text)}`;
      const reading = python[index]?.plain as PythonReading;
      expect("error" in reading, said).to.equal(false);
      if ("error" in reading) return;
      const { DEFAULT: defaults = {}, ...sections } = values;
      const found = expected(reading);
      const merged = Object.entries(sections).map(([name, own]) => [
        name,
        sorted(new Map([...Object.entries(defaults), ...Object.entries(own)])),
      ]);
      expect(found, said).to.deep.equal({ sections: merged, defaults: sorted(Object.entries(defaults)) });
    });
  });
});
