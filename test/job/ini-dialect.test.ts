import { expect } from "chai";
import { FjordError } from "../../src/job/error.js";
import { formatIni, type IniProblem, parseIni } from "../../src/job/ini-dialect.js";

const OURS = { strictIn: new Set(["control"]) };

function problemOf(content: string | Uint8Array, options = {}): IniProblem {
  const reading = parseIni(content, options);
  if (reading.ok) throw new Error(`no problem found in ${JSON.stringify(content)}`);
  return reading;
}

function sectionsOf(text: string, options = {}) {
  const reading = parseIni(text, options);
  if (!reading.ok) throw new Error(`line ${reading.line}: ${reading.problem}`);
  return reading;
}

describe("parseIni", () => {
  it("reads a command literally, after either delimiter", () => {
    const text = '[control]\nExecutable: python x.py --a=1 ; echo "done #1"\nlogfile = a:b\n';
    const control = sectionsOf(text).sections.get("control");
    expect(control?.get("executable")).to.equal('python x.py --a=1 ; echo "done #1"');
    expect(control?.get("logfile")).to.equal("a:b");
    expect(control?.get("nothing")).to.equal(undefined);
  });

  it("keeps every value a string, whatever its key and section are called", () => {
    const text = "[__proto__]\n__proto__ = true\n[a.b]\nx[] = null\n__proto__ = 1\nhasownproperty = []\n";
    const { sections } = sectionsOf(text);
    expect([...sections.keys()]).to.deep.equal(["__proto__", "a.b"]);
    expect([...(sections.get("__proto__") ?? [])]).to.deep.equal([["__proto__", "true"]]);
    expect([...(sections.get("a.b") ?? [])]).to.deep.equal([
      ["x[]", "null"],
      ["__proto__", "1"],
      ["hasownproperty", "[]"],
    ]);
  });

  it("knows the line of every section and key, and which values are inherited", () => {
    const { sections, defaults } = sectionsOf("# c\n[a]\nx = 1\n  2\ny = 3\n[DEFAULT]\nz = 4\nx = 5\n");
    const a = sections.get("a");
    expect(a?.line).to.equal(2);
    expect(a?.entry("x")).to.deep.equal({ value: "1\n2", line: 3, inherited: false });
    expect(a?.entry("z")).to.deep.equal({ value: "4", line: 7, inherited: true });
    expect([...(a ?? [])]).to.deep.equal([
      ["x", "1\n2"],
      ["y", "3"],
      ["z", "4"],
    ]);
    expect(defaults.line).to.equal(6);
    expect([...defaults.own.keys()]).to.deep.equal(["z", "x"]);
    expect(sections.has("DEFAULT")).to.equal(false);
  });

  const problems: [
    what: string,
    content: string | Uint8Array,
    expected: Partial<IniProblem>,
    words: RegExp,
  ][] = [
    ["a key before any section", "\nx = 1\n", { line: 2 }, /"x = 1" before any section/],
    ["a section twice", "[a]\n[b]\n[a]\n", { line: 3, section: "a" }, /line 1/],
    ["a key twice", "[a]\nx = 1\nX = 2\n", { line: 3, section: "a", key: "x" }, /line 2/],
    ["a line without a delimiter", "[a]\nx\n", { line: 2, section: "a" }, /"x".*write "key = value"/],
    ["a value without a key", "[a]\n= x\n", { line: 2, section: "a" }, /no key/],
    ["a NUL", "[a]\r\nx = 1\r\ny = \0\r\n", { line: 3 }, /not a text file/],
    ["Latin-1", Buffer.from("[a]\nx = 1\ny = \xe9\n", "latin1"), { line: 3 }, /not a text file/],
  ];
  for (const [what, content, where, words] of problems) {
    it(`returns ${what} as a problem with its line`, () => {
      const { line, section, key, problem } = problemOf(content);
      expect({ line, section, key }).to.deep.equal({ section: undefined, key: undefined, ...where });
      expect(problem).to.match(words);
    });
  }

  it("is lenient in the job's own sections", () => {
    const own = "[data]\n1 2 3\n  4\n= 5\nx = 1\nx = 2\n[data]\ny = 3\n";
    const { sections } = sectionsOf(`[control]\nexecutable = a\n${own}`, OURS);
    expect([...(sections.get("data") ?? [])]).to.deep.equal([
      ["x", "2"],
      ["y", "3"],
    ]);
    expect(sections.get("data")?.entry("1 2 3")).to.deep.equal({
      value: undefined,
      line: 4,
      inherited: false,
    });
    expect(problemOf(`${own}[control]\nx = 1\nx = 2\n`, OURS).line).to.equal(11);
    expect(problemOf(own).line).to.equal(2);
  });

  it("takes linear time for a megabyte of any kind", function () {
    this.timeout(60_000);
    const many = 2 ** 17;
    const begin = process.cpuUsage(); // CPU time, because other processes lengthen the elapsed time
    sectionsOf(`[a]\nx = ${"y".repeat(2 ** 20)}\n`);
    sectionsOf(`[a]\nx = 1\n${" z\n".repeat(many)}`);
    sectionsOf(`[a]\nx =${" ".repeat(2 ** 20)}1\n`);
    sectionsOf(`[DEFAULT]\n${Array.from({ length: many }, (_, i) => `${i}=\n`).join("")}`);
    const defaults = Array.from({ length: 2 ** 15 }, (_, i) => `k${i}=\n`).join("");
    const { sections } = sectionsOf(
      `[DEFAULT]\n${defaults}${Array.from({ length: 2 ** 15 }, (_, i) => `[${i}]\n`).join("")}`,
    );
    expect(sections.get("77")?.get("k99")).to.equal("");
    expect(process.cpuUsage(begin).user / 1000, "milliseconds").to.be.lessThan(4000);
  });
});

describe("formatIni", () => {
  it("writes plain ini", () => {
    const text = formatIni({
      control: { executable: "make A=1; # x", logfile: "" },
      job: { notes: "a\n\nb", more: "\na" },
    });
    expect(text).to.equal(
      "[control]\nexecutable = make A=1; # x\nlogfile =\n\n[job]\nnotes = a\n\n\tb\nmore =\n\ta\n",
    );
  });

  const held: [section: string, key: string, value: string][] = [
    ["a", "x", ""],
    ["a", "x", "= : ; # [b]"],
    ["a", "x", "\na"],
    ["a", "x", "a\n[b]\ny = 1\n\n\nc"],
    ["a", "my key", "true"],
    ["a", "__proto__", '"quoted"'],
    ["__proto__", "x[]", "a\u2028b\u00a0c"],
    [" a]b.c ", "é", "\u200b😀\u0007"],
    ["DEFAULT", "x", "1"],
  ];
  for (const [section, key, value] of held) {
    it(`writes [${section}] ${key} = ${JSON.stringify(value)}, and reads the same back`, () => {
      const reading = sectionsOf(formatIni({ [section]: { [key]: value }, last: { x: "2" } }));
      const found = section === "DEFAULT" ? reading.defaults : reading.sections.get(section);
      expect([...(found ?? [])]).to.deep.equal([[key, value]]);
      expect(reading.sections.get("last")?.own.size).to.equal(1);
    });
  }

  const refused: [section: string, key: string, value: string, named: RegExp][] = [
    ["a", "x", " a", /section \[a\], key "x": .*" a"/],
    ["a", "x", "a\t", /key "x"/],
    ["a", "x", "a\n", /key "x"/],
    ["a", "x", "a\n b", /key "x"/],
    ["a", "x", "a\n# b", /key "x"/],
    ["a", "x", "a\r\nb", /key "x"/],
    ["a", "x", "a\0", /key "x"/],
    ["a", "x", "a\ud800", /key "x"/],
    ["a", "X", "a", /key "X"/],
    ["a", "", "a", /key ""/],
    ["a", "x=y", "a", /key "x=y"/],
    ["a", "#x", "a", /key "#x"/],
    ["a", "[x]", "a", /key "\[x\]"/],
    ["", "x", "a", /section \[\]/],
    ["a\nb", "x", "a", /section \[a\\nb\]/],
  ];
  for (const [section, key, value, named] of refused) {
    it(`refuses [${JSON.stringify(section)}] ${JSON.stringify(key)} = ${JSON.stringify(value)}`, () => {
      const write = () => formatIni({ first: { good: "1" }, [section]: { ok: "1", [key]: value } });
      expect(write).to.throw(FjordError, named).with.property("code", "bad-usage");
    });
  }

  it("refuses a section without keys whose name is invalid", () => {
    expect(() => formatIni({ a: { x: "1" }, "a] b": {}, "": {} })).to.throw(FjordError, /section \[\]/);
    expect(() => formatIni({ "a]\n[b": {} })).to.throw(FjordError, /section \[a\]\\n\[b\]/);
    expect(() => formatIni({ "a\ud800": {} })).to.throw(FjordError, /section \[a\\u\{d800\}\]/);
  });
});
