import { expect } from "chai";
import { FjordError } from "../../src/job/error.js";
import { defaultSettings, readSettings } from "../../src/project/settings.js";

function read(text: string) {
  return readSettings("/p/settings.ini", Buffer.from(text));
}

describe("settings.ini", () => {
  for (const [text, said] of [
    ["", {}],
    ["# nothing\n", {}],
    ["[hosts]\nbeat = of the drum\n", {}],
    ["[fjord]\n", {}],
    ["[fjord]\nstore = network\n", { store: "network" }],
    [
      "[fjord]\nBeat: 500 ms\nlost_after = 3\npoll = 1m\nsettle=0.5\ngrace : 10s\nretry_backoff = 2 min\n",
      { beat: 0.5, lostAfter: 3, poll: 60, settle: 0.5, grace: 10, retryBackoff: 120 },
    ],
    ["[fjord]\nlost_limit = 1\nflush = Yes\n", { lostLimit: 1, flush: true }],
    ["[fjord]\nflush = no\n", { flush: false }],
    ["[fjord]\nflush = false\n", { flush: false }],
  ] as const) {
    it(`reads ${JSON.stringify(text)}`, () => {
      expect(read(text)).to.deep.equal(said);
    });
  }

  for (const [text, ...parts] of [
    ["[fjord]\nbeat = 0\n", '[fjord] beat: "0" is not a duration'],
    ["[fjord]\nbeat =\n", '[fjord] beat: "" is not a duration'],
    ["[fjord]\npoll = -1 s\n", "[fjord] poll"],
    ["[fjord]\ngrace = soon\n", '[fjord] grace: "soon"'],
    ["[fjord]\nlost_after = 2.5\n", "[fjord] lost_after", "whole number"],
    ["[fjord]\nlost_limit = 0\n", "[fjord] lost_limit"],
    ["[fjord]\nlost_limit = many\n", "[fjord] lost_limit"],
    ["[fjord]\nstore = nfs\n", "[fjord] store", "auto, local or network"],
    ["[fjord]\nflush = maybe\n", "[fjord] flush", "yes or no"],
    ["[fjord]\ngarce = 5 s\n", '[fjord]: unknown key "garce"'],
    ["beat = 2 s\n", "line 1"],
    ["[fjord]\nbeat = 2 s\nbeat = 3 s\n", "line 3"],
    ["[fjord]\n\0", "line 2"],
  ] as const) {
    it(`refuses ${JSON.stringify(text)}, naming the place`, () => {
      let refused: unknown;
      try {
        read(text);
      } catch (error) {
        refused = error;
      }
      expect(refused).to.be.instanceOf(FjordError).with.property("code", "bad-settings");
      for (const part of ["/p/settings.ini", ...parts])
        expect((refused as FjordError).message).to.contain(part);
      expect((refused as FjordError).hint).not.to.equal("");
    });
  }

  it("has slower defaults on a network file system, and flushes there", () => {
    const [local, network] = [defaultSettings("local"), defaultSettings("network")];
    for (const key of ["beat", "lostAfter", "poll", "settle"] as const) {
      expect(network[key], key).to.be.greaterThan(local[key]);
    }
    expect([local.flush, network.flush]).to.deep.equal([false, true]);
  });
});
