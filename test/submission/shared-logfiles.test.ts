import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { readObjects } from "../../src/job/json-objects.js";
import { type Dimension, oneByOne, readParam, repetition, Sweep } from "../../src/job/sweep.js";
import { sharedLogfiles } from "../../src/submission/shared-logfiles.js";
import { draftsOf, type Wanted } from "../../src/submission/wanted.js";
import { sharedProject } from "../rig/with-project.js";

describe("jobs of one submission that have the same logfile", () => {
  const project = sharedProject();
  const echo = ["echo"];
  const n = new Sweep([readParam("n=1..3")], false);
  const product = new Sweep([readParam("lr=1,2"), readParam("seed=1..3")], false);
  const of = (...dimensions: Dimension[]) => new Sweep(dimensions, false);

  function told(wanted: Wanted, run: { directory?: string; table?: string } = {}): string {
    return sharedLogfiles(draftsOf(wanted), { sweep: wanted.sweep, ...run }).join("\n");
  }

  function file(name: string, text: string): string {
    const made = path.join(project().work, name);
    fs.writeFileSync(made, `[control]\nexecutable = true #\n${text}`);
    return made;
  }

  it("are counted, and shown with the path that they share", () => {
    expect(told({ command: echo, name: "e", sweep: n, logfile: "same.out", workdir: "/w" })).to.equal(
      '3 jobs share a logfile: "e_1" and "e_2" have "/w/same.out". ' +
        "Each of them overwrites the results of another. Put {n} into the name of the logfile.",
    );
    expect(told({ command: echo, name: "e", sweep: product, logfile: "{lr}.out", workdir: "/w" })).to.include(
      '6 jobs share 2 logfiles: "e_1" and "e_2" have "/w/1.out". ',
    );
  });

  const PLACES: [sweep: Sweep, logfile: string, places: string, workdir?: string][] = [
    [n, "same", "{n}"],
    [n, "../{index}/../same", "{n}"],
    [n, "/d/same", "{n}", "/w{n}"],
    [product, "{lr}", "{seed}"],
    [product, "{seed}", "{lr}"],
    [product, "same", "{lr} and {seed}"],
    [product, "{lr}", "{seed}", "/w{lr}"],
    [new Sweep([readParam("lr=1,1"), readParam("seed=1,2")], true), "{lr}", "{seed}"],
    [of(readParam("n=1,1")), "{n}", "{index}"],
    [of(readParam("n=1,1"), readParam("m=1,2")), "same", "{index}"],
    [of(repetition(2)), "same", "{index}"],
    [of(readParam("n=1,2"), repetition(2)), "{n}", "{index}"],
    [of(oneByOne("--each-line", "line", ["a", "b", "a"])), "{line}", "{index}"],
    [of(readObjects("--from-json", '[{"a":1,"b":1},{"a":1,"b":2}]')), "{a}", "{b}"],
  ];
  for (const [sweep, logfile, places, workdir = "/w"] of PLACES) {
    it(`need ${places} in ${logfile} of ${[...sweep.names]}, ${sweep.count} jobs`, () => {
      expect(told({ command: echo, sweep, logfile, workdir })).to.include(` Put ${places} into the name of`);
    });
  }

  it("need separate logfiles if no placeholder helps", () => {
    const own = "Give each job a logfile of its own.";
    expect(told({ command: echo, sweep: of(readParam("index=7,7")), logfile: "x" })).to.include(own);
    expect(told({ command: echo, sweep: of(readParam("Index=7,7")), logfile: "x" })).to.include(own);
    const [a, b] = [file("a.ini", "logfile = x\n"), file("b.ini", "logfile = ./y/../x\n")];
    expect(told({ files: [a, b] })).to.equal(
      `2 jobs share a logfile: "a" and "b" have "x". Each of them overwrites the results of another. ${own}`,
    );
    expect(told({ files: [a, b] }, { directory: "/w" })).to.include(' have "/w/x".');
    expect(told({ files: [a, b], logfile: "z", workdir: "/w" })).to.include(' have "/w/z".');
    expect(told({ files: [a, b], sweep: n, logfile: "{n}" })).to.include("6 jobs share 3 logfiles: ");
    const arrays = ["c.ini", "d.ini"].map((name) => file(name, "logfile = {index}\n[array]\nrange = 1-2\n"));
    expect(told({ files: arrays })).to.match(
      /^4 jobs share 2 logfiles: "c_1" and "d_1" have "1"\. .* own\.$/,
    );
  });

  it("are found in small and large arrays at the same time", () => {
    expect(told({ command: echo, name: "e", array: "1-3", logfile: "same" })).to.match(/^3 jobs .*\{index\}/);
    const sweep = "[sweep]\nLR = 1..3\nseed = 1..1000\n";
    expect(told({ files: [file("s.ini", `logfile = {lr}\n${sweep}[array]\nrange = 1-2`)] })).to.match(
      /^2 jobs share a logfile: "s_1" and "s_2" have "1"\. .* \{seed\} into/,
    );
    const some = 'Some of the 3000 jobs of "l" share a logfile. ';
    for (const [logfile, place] of [
      ["{LR}", "seed"],
      ["{Seed}", "lr"],
    ]) {
      const large = told({ files: [file("l.ini", `logfile = ${logfile}\n${sweep}`)] });
      expect(large.startsWith(some) && large).to.include(`Put {${place}} into`);
    }
    const many = { command: echo, name: "m", array: "1-5000" };
    expect(told({ ...many, logfile: "x" })).to.match(/^Some of the 5000 jobs of "m" .*\{index\}/);
  });

  it("are not reported when each job has its own logfile, none, or /dev/null", () => {
    for (const wanted of [
      { command: echo, sweep: n, logfile: "{n}" },
      { command: echo, sweep: n, logfile: "same", workdir: "/w{n}" },
      { command: echo, sweep: product, logfile: "{index}" },
      { command: echo, sweep: product, logfile: "{seed}", workdir: "/w/{lr}" },
      { command: echo, sweep: n, logfile: "/dev/null" },
      { command: echo, sweep: n, logfile: "../dev/./null", workdir: "/w" },
      { command: echo, array: "1-5000", logfile: "/dev/null" },
      { command: echo, array: "1-5000", logfile: "{index}" },
      { command: echo, array: "1-3", logfile: "{index}" },
      { command: echo, sweep: n },
      { command: echo, logfile: "x" },
      { files: [file("a.ini", "logfile = x\n"), file("b.ini", "logfile = x\nworkdir = /w\n")] },
      { files: [file("a.ini", "logfile = ~/x\n"), file("b.ini", "logfile = x\n")] },
      { files: [file("e.ini", "logfile = {b}\n[sweep]\na = 1,2\nb = 1,2\n[array]\nrange = 1-2\n")] },
    ]) {
      expect(told(wanted), JSON.stringify(wanted)).to.equal("");
    }
  });

  it("may be one job and the table of --results", () => {
    const run = { directory: process.cwd(), table: "./t.csv" };
    expect(told({ command: echo, name: "e", logfile: "t.csv" }, run)).to.equal(
      'The table of --results overwrites the logfile of "e", which is the same file.',
    );
    expect(told({ command: echo, logfile: "e.csv" }, run)).to.equal("");
  });
});
