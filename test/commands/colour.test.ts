import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import tty from "node:tty";
import { stripVTControlCharacters } from "node:util";
import { expect } from "chai";
import { isColoured } from "../../src/cli/colour.js";
import { binary } from "../rig/command.js";
import { sharedProject, skip } from "../rig/with-project.js";

const RED = "\x1b[31m";
const GREEN = "\x1b[32m";

describe("isColoured", () => {
  const terminal = { isTTY: true, hasColors: () => true };
  const poor = { isTTY: true, hasColors: () => false };
  const pipe = {};
  const real: Parameters<typeof isColoured>[1] = {
    isTTY: true,
    hasColors: (env) => tty.WriteStream.prototype.hasColors(env),
  };
  const cases: [NodeJS.ProcessEnv, Parameters<typeof isColoured>[1], boolean][] = [
    [{}, terminal, true],
    [{}, poor, false],
    [{}, pipe, false],
    [{ NO_COLOR: "1" }, terminal, false],
    [{ NO_COLOR: "" }, terminal, true],
    [{ NO_COLOR: "", TERM: "xterm" }, real, true],
    [{ NO_COLOR: "1", TERM: "xterm" }, real, false],
    [{ NO_COLOR: "", TERM: "dumb" }, real, false],
    [{ FORCE_COLOR: "1" }, pipe, true],
    [{ FORCE_COLOR: "" }, pipe, true],
    [{ FORCE_COLOR: "0" }, terminal, false],
    [{ FORCE_COLOR: "false" }, terminal, false],
    [{ FORCE_COLOR: "1", NO_COLOR: "1" }, pipe, true],
  ];
  for (const [env, output, coloured] of cases) {
    const where = output === pipe ? "a pipe" : output === poor ? "a terminal without colours" : "a terminal";
    it(`is ${coloured} for ${where} with ${JSON.stringify(env)}`, () => {
      expect(isColoured(env, output)).to.equal(coloured);
    });
  }
});

describe("colours", () => {
  const project = sharedProject();
  const PRINTING = [["status"], ["list"]];

  before(() => {
    for (const [room, job] of [
      ["jobdone", "good"],
      ["jobfailed", "bad"],
    ] as const) {
      fs.writeFileSync(path.join(project().layout.end(room), `${job}.ini`), "[control]\nexecutable = x\n");
    }
  });

  for (const args of PRINTING) {
    it(`are absent when fjord ${args} prints into a pipe`, async () => {
      const { stdout } = await project().run("fjord", args);
      expect(stdout).not.to.contain("\x1b").and.not.equal("");
    });

    it(`are printed by fjord ${args} when they are forced, and leave the columns in their places`, async () => {
      const plain = await project().run("fjord", args);
      const { stdout } = await project().run("fjord", args, { env: { FORCE_COLOR: "1" } });
      for (const [colour, word] of [
        [GREEN, "done"],
        [RED, "failed"],
      ] as const) {
        const painted = stdout.split(colour)[1]?.split("\x1b[39m")[0];
        expect(painted).to.equal(args[0] === "status" ? `1 ${word}` : word);
      }
      expect(stripVTControlCharacters(stdout)).to.equal(plain.stdout);
    });

    it(`are never in JSON: fjord ${args} --json`, async () => {
      const { stdout } = await project().run("fjord", [...args, "--json"], { env: { FORCE_COLOR: "1" } });
      expect(stdout).not.to.contain("\x1b");
    });
  }

  it("are printed on a terminal, unless NO_COLOR is set", async function () {
    if (spawnSync("script", ["--version"]).status !== 0) skip(this, "there is no script");
    const typed = `"${process.execPath}" "${binary("fjord")}" list`;
    const shown = async (env: NodeJS.ProcessEnv) =>
      (await project().startProgram("script", ["-qec", typed, "/dev/null"], { env }).end).stdout;
    expect(await shown({}))
      .to.contain(`${RED}failed`)
      .and.to.contain(`${GREEN}done`);
    const plain = await shown({ NO_COLOR: "1" });
    expect(plain).to.contain("failed").and.not.to.contain("\x1b");
    expect(await shown({ TERM: "dumb" })).not.to.contain("\x1b");
  });
});
