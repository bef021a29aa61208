import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { readParam, Sweep } from "../../src/job/sweep.js";
import { slipsOf } from "../../src/submission/slips.js";
import type { Wanted } from "../../src/submission/wanted.js";
import { sharedProject } from "../rig/with-project.js";

describe("a program whose path is more than a word to the shell", () => {
  const project = sharedProject();
  const inWork = (name: string) => path.join(project().work, name);
  const sweep = new Sweep([readParam("n=1,2")], false);

  before(() => {
    for (const name of ["my prog", "a&b", "a$b", "it", "it a"]) {
      fs.writeFileSync(inWork(name), "#!/bin/sh\n", { mode: 0o777 });
    }
    fs.writeFileSync(inWork("no program"), "", { mode: 0o666 });
    fs.mkdirSync(inWork("a dir"));
    for (const line of ["./my prog", "'./my prog'"]) {
      fs.writeFileSync(inWork(`${line.length}.ini`), `[control]\nexecutable = ${line}\n`);
    }
  });

  const slips = (wanted: Wanted) => slipsOf({ workdir: project().work, ...wanted });

  it("causes a hint that shows how to write the path", () => {
    const said = (line: string, instead: string) => [
      `"${line}" is a program here, but the shell reads it as a command line. Write ${instead}.`,
    ];
    const spaced = said("./my prog", `"'./my prog'"`);
    expect(slips({ command: ["./my prog"] })).to.deep.equal(spaced);
    expect(slips({ exe: "./my prog" })).to.deep.equal(spaced);
    expect(slips({ command: ["./my prog"], sweep })).to.deep.equal(spaced);
    expect(slips({ command: ["./a&b"] })).to.deep.equal(said("./a&b", `"'./a&b'"`));
    expect(slips({ command: ["./a$b"] })).to.deep.equal(said("./a$b", "''\\''./a$b'\\'''"));
    const [absolute] = slips({ command: [inWork("my prog")] });
    expect(absolute).to.match(/is a program here/);
    const inFile = said("./my prog", "executable = './my prog'");
    expect(slips({ files: [inWork("9.ini")] })).to.deep.equal(inFile);
    expect(slips({ files: [inWork("9.ini")], sweep })).to.deep.equal(inFile);
  });

  it("causes no hint when the line is intended, or when the program does not exist", () => {
    for (const command of [
      ["'./my prog'"],
      ["./my prog", "x"],
      ["./it a"], // This is the program ./it with an argument.
      ["./no program"],
      ["./a dir"],
      ["./my other prog"],
    ]) {
      expect(slips({ command }), command.join(" ")).to.deep.equal([]);
    }
    expect(slips({ files: [inWork("11.ini")] })).to.deep.equal([]);
  });
});
