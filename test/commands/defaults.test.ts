import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { defaultsOf } from "../../src/cli/option.js";
import { parse } from "../../src/cli/parser.js";
import type { Verb } from "../../src/cli/verb.js";
import { PACKAGE } from "../rig/command.js";

const VERBS = path.join(PACKAGE, "dist", "src", "cli", "verbs");

describe("options of which none is typed", () => {
  for (const file of fs.readdirSync(VERBS).filter((name) => name.endsWith(".js"))) {
    const name = path.basename(file, ".js");
    it(`have the values that the parser gives them: ${name}`, async () => {
      const { verb } = (await import(path.join(VERBS, file))) as { verb: Verb<never> };
      const { words: _, ...help } = verb;
      const command = { program: name, usage: name, about: "", help, typed: [], verbs: [] };
      const parsed = await parse(command, []);
      const defaults = Object.entries(defaultsOf(verb.options));
      expect(defaults).to.have.lengthOf(Object.keys(verb.options).length);
      for (const [key, value] of defaults) expect(parsed[key], key).to.deep.equal(value);
    });
  }
});
