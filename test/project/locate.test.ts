import os from "node:os";
import { expect } from "chai";
import { FjordError } from "../../src/job/error.js";
import { locateProject } from "../../src/project/locate.js";

const HOME = os.homedir();
const ENV = { FJORD_HOME: "/queues" };

describe("where a project is", () => {
  for (const [said, env, cwd, found] of [
    [undefined, {}, "/w", `${HOME}/.fjord/default`],
    [undefined, ENV, "/w", "/queues/default"],
    [undefined, { FJORD_PROJECT: "mine" }, "/w", `${HOME}/.fjord/mine`],
    [undefined, { ...ENV, FJORD_PROJECT: "/abs/p" }, "/w", "/abs/p"],
    [undefined, { ...ENV, FJORD_PROJECT: "" }, "/w", "/queues/default"],
    ["said", { ...ENV, FJORD_PROJECT: "not-this" }, "/w", "/queues/said"],
    ["v1.2_a-B", ENV, "/w", "/queues/v1.2_a-B"],
    ["./rel", ENV, "/w/d", "/w/d/rel"],
    ["rel/", ENV, "/w/d", "/w/d/rel"],
    ["a/b c", ENV, "/w", "/w/a/b c"],
    ["../up", ENV, "/w/d", "/w/up"],
    [".", ENV, "/w/d", "/w/d"],
    ["..", ENV, "/w/d", "/w"],
    ["/abs/", ENV, "/w", "/abs"],
    ["~/p", ENV, "/w", `${HOME}/p`],
    ["p", { FJORD_HOME: "rel" }, "/w", "/w/rel/p"],
    ["p", { FJORD_HOME: "" }, "/w", `${HOME}/.fjord/p`],
  ] as const) {
    it(`${JSON.stringify(said)} with ${JSON.stringify(env)} in ${cwd} is ${found}`, () => {
      expect(locateProject(said, env, cwd)).to.equal(found);
    });
  }

  for (const name of ["", " ", "a b", "-a", ".a", "...", "a:b", "a\nb", "é", "a\\b", "a*"]) {
    it(`${JSON.stringify(name)} is refused`, () => {
      expect(() => locateProject(name, ENV, "/w"))
        .to.throw(FjordError, "cannot be a project's name")
        .with.property("code", "bad-project");
    });
  }
});
