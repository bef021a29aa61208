import os from "node:os";
import { expect } from "chai";
import { FjordError } from "../../src/job/error.js";
import { locateProject } from "../../src/project/locate.js";

const HOME = os.homedir();
const ENV = { FJORD_HOME: "/queues" };

describe("the place of a project", () => {
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
    it(`is ${found} for ${JSON.stringify(said)} with ${JSON.stringify(env)} in ${cwd}`, () => {
      expect(locateProject(said, env, () => cwd)).to.equal(found);
    });
  }

  for (const home of ["", "relative", "./x"]) {
    it(`is in the home directory from the user database when HOME is ${JSON.stringify(home)}`, () => {
      const { HOME: before } = process.env;
      process.env.HOME = home;
      try {
        const listed = os.userInfo().homedir;
        expect(locateProject(undefined, {}, () => "/w")).to.equal(`${listed}/.fjord/default`);
        expect(locateProject("~/p", {}, () => "/w")).to.equal(`${listed}/p`);
      } finally {
        process.env.HOME = before;
      }
    });
  }

  it("does not depend on the current directory when all paths are absolute", () => {
    const gone = () => {
      throw new Error("the current directory is gone");
    };
    expect(locateProject("/abs/p", ENV, gone)).to.equal("/abs/p");
    expect(locateProject("p", ENV, gone)).to.equal("/queues/p");
    expect(() => locateProject("./p", ENV, gone)).to.throw("gone");
    expect(() => locateProject("p", { FJORD_HOME: "rel" }, gone)).to.throw("gone");
  });

  for (const name of ["", " ", "a b", "-a", ".a", "...", "a:b", "a\nb", "é", "a\\b", "a*"]) {
    it(`cannot have the name ${JSON.stringify(name)}`, () => {
      expect(() => locateProject(name, ENV, () => "/w"))
        .to.throw(FjordError, "cannot be a project's name")
        .with.property("code", "bad-project");
    });
  }
});
