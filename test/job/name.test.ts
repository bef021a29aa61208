import { expect } from "chai";
import { checkName, isIgnored, jobName, NAME_LIMIT } from "../../src/job/name.js";

describe("job names", () => {
  const names: [fileName: string, name: string][] = [
    ["a.ini", "a"],
    ["a.ini.ini", "a.ini"],
    ["run.sh", "run.sh"],
    ["a.INI", "a.INI"],
    ["a.b c", "a.b c"],
  ];
  for (const [fileName, name] of names) {
    it(`names the job of ${fileName} ${name}`, () => expect(jobName(fileName)).to.equal(name));
  }

  // biome-ignore format: a list
  const leftAlone = [
    ".hidden.ini", ".", "..", ".nfs0000", ".ini", "a.ini~", "a.ini.swp", ".a.ini.swo", "a.tmp", "a.ini.part", "a.ini.lock",
    "#a.ini#", ".#a.ini", ".a\nb", "a\nb~",
  ];
  for (const fileName of leftAlone) {
    it(`ignores the file ${JSON.stringify(fileName)}`, () => expect(isIgnored(fileName)).to.equal(true));
  }

  // biome-ignore format: a list
  const good = [
    "a.ini", "a b.ini", "a'b\".ini", "a..b", "100%.ini", "-rf.ini", "größe 漢字 😀.ini", "$(x).ini", "a\\b", "#a.ini", "a#",
    "lock", "alock", "a.lock.ini", "a.tmp.ini", "~a", "e\u0301.ini",
  ];
  for (const fileName of good) {
    it(`accepts the file ${JSON.stringify(fileName)}`, () => {
      expect(isIgnored(fileName)).to.equal(false);
      expect(checkName(fileName)).to.equal(undefined);
    });
  }

  const bad: [fileName: string, reason: RegExp][] = [
    ["a\nb.ini", /"a\\nb.ini" holds a control character/],
    ["a\x1b[31m.ini", /"a\\u\{1b\}\[31m.ini" holds a control character/],
    ["a\x7f", /control character/],
    ["a\u0085", /control character/],
    ["a\u2028b", /control character/],
    ["a\uFFFDb.ini", /UTF-8/],
    ["a/b.ini", /holds a "\/"/],
    ["", /empty/],
    ["a".repeat(NAME_LIMIT + 1), /241 bytes long.*at most 240/],
    ["ä".repeat(121), /242 bytes long/],
  ];
  for (const [fileName, reason] of bad) {
    it(`says why ${JSON.stringify(fileName.slice(0, 20))} cannot be a job`, () => {
      expect(checkName(fileName)).to.match(reason);
      expect(checkName(fileName)).to.not.match(/\p{Cc}|\p{Zl}/u);
    });
  }

  it("accepts a name of 240 bytes", () => {
    expect(checkName("ä".repeat(120))).to.equal(undefined);
  });
});
