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
    ["[fjord]\n", {}],
    ["[fjord]\nstore = network\n", { store: "network" }],
    [
      "[fjord]\nBeat: 500 ms\nlost_after = 3\npoll = 1m\nsettle=0.5\ngrace : 10s\nretry_backoff = 2 min\n",
      { beat: 0.5, lostAfter: 3, poll: 60, settle: 0.5, grace: 10, retryBackoff: 120 },
    ],
    ...[30, 400].map((days) => {
      const keys = ["beat", "poll", "settle", "grace", "retry_backoff", "idle_limit"];
      const s = days * 86_400;
      const said = { beat: s, poll: s, settle: s, grace: s, retryBackoff: s, idleLimit: s };
      return [`[fjord]\n${keys.map((key) => `${key} = ${days} d\n`).join("")}`, said] as const;
    }),
    ["[fjord]\nlost_limit = 1\nflush = Yes\n", { lostLimit: 1, flush: true }],
    ["[fjord]\nidle_limit = 10 min\n", { idleLimit: 600 }],
    ["[fjord]\nidle_limit = none\n", { idleLimit: Number.POSITIVE_INFINITY }],
    ["[fjord]\nflush = no\n", { flush: false }],
    ["[fjord]\njob_owners = ann, LAB\\bob@x, 7\n", { jobOwners: "ann, LAB\\bob@x, 7" }],
    ["[fjord]\nflush = false\n", { flush: false }],
    ["[fjord]\nshell = /bin/bash -l\n", { shell: "/bin/bash -l" }],
    ["[DEFAULT]\nbeat = 1 s\ngrace = 1 s\n[fjord]\nbeat = 3 s\n", { beat: 3, grace: 1 }],
    ["[DEFAULT]\nbeat = 1 s\n", { beat: 1 }],
  ] as const) {
    it(`reads ${JSON.stringify(text)}`, () => {
      expect(read(text)).to.deep.equal(said);
    });
  }

  for (const [text, ...parts] of [
    ["[fjord]\nbeat = 0\n", '[fjord] beat: "0" is not a duration above 0, such as 2 s'],
    ["[fjord]\nbeat =\n", '[fjord] beat: "" is not a duration'],
    ["[fjord]\nsettle = 0 s\n", '[fjord] settle: "0 s" is not a duration above 0, such as 2 s'],
    ["[fjord]\ngrace = 0\n", '[fjord] grace: "0" is not a duration above 0, such as 5 s'],
    ["[fjord]\ngrace 0\n", 'line 2: found "grace 0", which has no "=" or ":"'],
    ["[fjord]\npoll = -1 s\n", "[fjord] poll"],
    ["[fjord]\ngrace = soon\n", '[fjord] grace: "soon"'],
    ["[fjord]\nlost_after = 2.5\n", "[fjord] lost_after", "whole number"],
    ["[fjord]\nlost_limit = 0\n", '[fjord] lost_limit: "0" is not a whole number from 1 to 999999'],
    ["[fjord]\nidle_limit = 0\n", '[fjord] idle_limit: "0" is not a duration above 0, such as 10 min'],
    ["[fjord]\nlost_after = 1\n", '[fjord] lost_after: "1" is not a whole number from 2 to 999999'],
    ["[fjord]\nlost_limit = many\n", "[fjord] lost_limit"],
    ["[fjord]\nstore = nfs\n", "[fjord] store", "auto, local or network"],
    ["[fjord]\njob_owners = ann,,bob\n", "[fjord] job_owners", "own, group, anyone, or names of users"],
    ["[fjord]\njob_owners =\n", '[fjord] job_owners: "" is not own, group'],
    ["[fjord]\nshell = ~/bin/zsh\n", '[fjord] shell: "~/bin/zsh" is not the path of a POSIX shell'],
    ["[fjord]\nflush = maybe\n", "[fjord] flush", "yes or no"],
    ["[fjord]\nbeat = 1 s\nnonsense\n", "line 3"],
    ["[fjord]\ngarce = 5 s\n", '[fjord]: unknown key "garce"'],
    ["[fjord]\nconstructor = 5 s\n", '[fjord]: unknown key "constructor"'],
    ["beat = 2 s\n", "line 1", "such as [fjord] above it"],
    ["[Fjord]\nbeat = 2 s\n", "line 1: unknown section [Fjord]"],
    ["[fjord]\nbeat = 2 s\n[hosts]\nbeat = of the drum\n", "line 3: unknown section [hosts]"],
    ["[fjord]\nbeat = 2 s\nbeat = 3 s\n", 'line 3: key "beat" is given a second time'],
    ["[fjord]\n\0", "line 2"],
  ] as const) {
    it(`refuses ${JSON.stringify(text)}, and the message names the place`, () => {
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

  it("suggests the likely name after a misspelling", () => {
    for (const [text, hint] of [
      ["[Fjord]\n", "Did you mean [fjord]?"],
      ["[fjrd]\n", "Did you mean [fjord]?"],
      ["[control]\n", "All settings belong in the section [fjord]."],
      ["[fjord]\nretry-backoff = 1 s\n", 'Did you mean "retry_backoff"?'],
    ] as const) {
      expect(() => read(text), text)
        .to.throw(FjordError)
        .with.property("hint", hint);
    }
  });

  it("has slower defaults on a network file system, and flushes by default there", () => {
    const [local, network] = [defaultSettings("local"), defaultSettings("network")];
    for (const key of ["beat", "lostAfter", "poll", "settle"] as const) {
      expect(network[key], key).to.be.greaterThan(local[key]);
    }
    expect([local.flush, network.flush]).to.deep.equal([false, true]);
  });
});
