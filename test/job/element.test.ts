import { expect } from "chai";
import { type ArrayJob, Elements, elementName, elementOf, problemOfArray } from "../../src/job/element.js";
import { parseIni } from "../../src/job/ini-dialect.js";
import { type Job, readJob } from "../../src/job/job.js";

function isArray(job: Job): job is ArrayJob {
  return job.array !== undefined;
}

function read(
  text: string | Uint8Array,
  file = "A.ini",
): { elements: Elements; problem: string | undefined } {
  const content = typeof text === "string" ? Buffer.from(text) : text;
  const reading = readJob(file, content, false);
  if (!reading.ok) throw new Error(reading.reason);
  if (!isArray(reading.job)) throw new Error("no array");
  return {
    elements: new Elements(file, content, reading.job),
    problem: problemOfArray(file, content, reading.job),
  };
}

function textOf(number: number, text: string): string {
  return read(text).elements.textOf(number);
}

/** The job that a worker reads from an element's file. */
function jobOf(number: number, text: string): Job {
  const reading = readJob("A_1.ini", Buffer.from(textOf(number, text)), false);
  if (!reading.ok) throw new Error(reading.reason);
  return reading.job;
}

function paramsOf(number: number, text: string): Record<string, string> {
  const ini = parseIni(textOf(number, text));
  const params = ini.ok ? ini.sections.get("params") : undefined;
  return Object.fromEntries(params ?? []);
}

describe("an element of an array", () => {
  it("is named after its array and its number", () => {
    expect(elementName("A", 17)).to.equal("A_17");
    expect(elementOf("A_17")).to.deep.equal({ array: "A", number: 17 });
    expect(elementOf("a_b_0")).to.deep.equal({ array: "a_b", number: 0 });
    for (const job of ["A", "_1", "A_", "A_01", "A_1x", "A_-1", "A_1000000000", "A_1.ini", ""]) {
      expect(elementOf(job), job).to.equal(undefined);
    }
  });

  it("has its values in place of the placeholders", () => {
    const job = jobOf(
      2,
      `[control]\nexecutable = x {lr} "{lr}" {other} \${lr} {index}\nlogfile = out/{lr}.{index}\nworkdir = /w/{index}\n[sweep]\nlr = a, b c$\n`,
    );
    expect(job.executable).to.equal(`x 'b c$' "b c\\$" {other} \${lr} 2`);
    expect(job.logfile).to.equal("out/b c$.2");
    expect(job.workdir).to.equal("/w/2");
    expect(job.array).to.equal(undefined);
  });

  it("has no placeholders in other keys and sections", () => {
    const text = "[control]\nexecutable = x\npriority = 3\n[own]\na = {index}\n[array]\nrange = 1-2\n";
    expect(textOf(2, text)).to.equal(
      "[control]\nexecutable = x\npriority = 3\n[own]\na = {index}\n\n[params]\nindex = 2\n",
    );
  });

  it("has its values in [params], beside the file's own entries", () => {
    const text =
      "[control]\nexecutable = x\n[params]\n# mine\nlr = 7\nown = 1\n[sweep]\nlr = a\\, b,\nn = 1..2\n";
    expect(paramsOf(2, text)).to.deep.equal({ index: "2", lr: "a, b", n: "2", own: "1" });
    expect(paramsOf(3, text)).to.deep.equal({ index: "3", lr: "", n: "1", own: "1" });
    expect(textOf(1, text)).to.include("# mine\n");
    expect(textOf(1, text).match(/\[params\]/g)).to.have.length(1);
  });

  it("loses the sections that describe the array, and keeps the rest as written", () => {
    const text = [
      "# top",
      "[sweep]",
      "# gone",
      "lr = 1,",
      "  2",
      "",
      "[own]",
      "  ; mine",
      "A : b # c",
      "",
      "[control]",
      "EXECUTABLE: x",
      "retries = 2",
      "[array]",
      "range = 2",
      "[more]",
      "a = 1",
    ];
    const kept = [
      "# top",
      "[own]",
      "  ; mine",
      "A : b # c",
      "",
      "[control]",
      "EXECUTABLE: x",
      "retries = 2",
      "[more]",
      "a = 1",
    ];
    const params = ["", "[params]", "index = 2", "lr = 2", ""];
    for (const eol of ["\n", "\r\n"]) {
      expect(textOf(2, text.join(eol))).to.equal([...kept, ...params].join(eol));
    }
  });

  it("keeps its own sections in any layout of the file", () => {
    const texts = [
      "  [control]\n  executable = x {index}\n  [array]\n  range = 1\n  [own]\n  a = 1\n",
      "[control]\rexecutable = x {index}\r[array]\rrange = 1\r[own]\ra = 1\r",
      "\ufeff[array]\nrange = 1\n[own]\na = 1\n[control]\nexecutable =\n\n  x {index}\n",
      "[own]\n[array]\nrange = 1\n[own]\na = 1\n[fjd]\nexecutable = x {index}",
      "[own]\na = 1\n[control]\nexecutable = x\n  # between\n\n  {index}\n[array]\nrange = 1",
    ];
    for (const text of texts) {
      const ini = parseIni(textOf(1, text), { strictIn: new Set() });
      expect(ini.ok && Object.fromEntries(ini.sections.get("own") ?? []), text).to.deep.equal({ a: "1" });
      expect(jobOf(1, text).executable.trim().replace(/\s+/g, " "), text).to.equal("x 1");
      expect(read(text).problem, text).to.equal(undefined);
    }
  });

  it("waits for no other job, because its array has already waited", () => {
    const text = "[control]\nexecutable = x\nafter = b, c:any\nnice = 1\n[array]\nrange = 1\n";
    expect(jobOf(1, text)).to.deep.include({ after: [], nice: 1 });
    expect(jobOf(1, `[DEFAULT]\nafter = z\n${text}`).after).to.deep.equal([]);
    expect(
      jobOf(1, "[DEFAULT]\nafter = z\n[control]\nexecutable = x\n[array]\nrange = 1\n").after,
    ).to.deep.equal([]);
  });

  it("is refused, and does not run, when a value makes the job invalid", () => {
    const text = "[control]\nexecutable = x\nlogfile = {log}\n[sweep]\nlog = a,\n  b\n  c, d\n";
    const { elements, problem } = read(text);
    expect(problem).to.equal(undefined); // the first and the last element are valid
    expect(elements.problemOf(1)).to.equal(undefined);
    expect(elements.problemOf(2)).to.match(
      /^element 2: A\.ini, line \d+, section \[control\], key "logfile": found "b\\nc", several lines/,
    );
    expect(readJob("A_2.ini", Buffer.from(elements.textOf(2)), false).ok).to.equal(false);
    expect(elements.problemOf(3)).to.equal(undefined);
  });

  it("causes the refusal of its array when it is the first or the last one and invalid", () => {
    const text = "[control]\nexecutable = x\nlogfile = {log}\n[sweep]\nlog = a, b\n  c\n";
    expect(read(text).problem).to.match(/^element 2: A\.ini, line \d+, section \[control\], key "logfile"/);
  });

  it("causes the refusal of its array when its name is too long for a file", () => {
    const text = "[control]\nexecutable = x\n[array]\nrange = 1-1000\n";
    const longest = "a".repeat(240 - "_1000.ini".length);
    expect(read(text, `${longest}.ini`).problem).to.equal(undefined);
    expect(read(text, `${longest}b.ini`).problem).to.match(/is 241 bytes long/);
  });

  it("is the same each time it is computed", () => {
    const text = "[control]\nexecutable = x {lr}\n[sweep]\nlr = 1..1000\nb = 1..1000\n";
    expect(textOf(1_000_000, text)).to.equal(textOf(1_000_000, text));
    expect(paramsOf(1_000_000, text)).to.deep.equal({ index: "1000000", lr: "1000", b: "1000" });
  });
});
