import assert from "node:assert/strict";
import { verbAt } from "../../src/cli/program.js";

describe("the verb of a command line", () => {
  const LINES: readonly (readonly [line: string, verb: string | undefined])[] = [
    ["list --json", "list"],
    ["--project list list", "list"],
    ["--project=list show", "show"],
    ["-h list", "list"],
    ["--no-json list", "list"],
    ["-j 4 run", "run"],
    ["-j4 run", "run"],
    ["-kj4 run", "run"],
    ["-fn3 log", "log"],
    ["-eA=1 submit", "submit"],
    ["--priority -5 submit", "submit"],
    ["--nice -1.5 submit", "submit"],
    ["--json --project x list", "list"],
    ["-- list", undefined],
    ["--json", undefined],
  ];
  for (const [line, verb] of LINES) {
    it(`is ${verb ?? "none"} in ${line}`, () => {
      const words = line.split(" ");
      assert.equal(words[verbAt(words)], verb);
    });
  }
});
