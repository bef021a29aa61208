import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import type { Verb } from "../../src/cli/verb.js";

const VERBS = path.resolve(import.meta.dirname, "../../src/cli/verbs");

/** The options of the fjord command in an example: those before `--`. The command of a job follows `--`. */
function optionsIn(line: string): string[] {
  const [ours = ""] = line
    .replace(/^.*?(?=\b(?:fjord|recruiter|dispatcher|worker)\b)/, "")
    .split(/ -- | [|>&]/);
  return [...ours.replace(/'[^']*'|"[^"]*"/g, "").matchAll(/(?<= )-{1,2}([a-z-]+)/g)].map(
    ([, name = ""]) => name,
  );
}

describe("the help of a verb", () => {
  for (const file of fs.readdirSync(VERBS).filter((name) => name.endsWith(".js"))) {
    it(`has examples with options that the verb knows: ${path.basename(file, ".js")}`, async () => {
      const { verb } = (await import(path.join(VERBS, file))) as { verb: Verb<never> };
      expect(verb.examples).not.to.deep.equal([]);
      const aliases = Object.values(verb.options).map(({ alias }) => alias);
      const known = ["project", ...Object.keys(verb.options), ...aliases];
      for (const [line] of verb.examples) expect(known).to.include.members(optionsIn(line));
    });
  }
});
