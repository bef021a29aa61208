import { expect } from "chai";
import { FjordError } from "../../src/job/error.js";
import { newJobText, withControlKeys } from "../../src/job/job-text.js";

describe("a job file's text", () => {
  it("is made of keys", () => {
    expect(newJobText({ executable: "echo 'a; b' # c", retries: "2" })).to.equal(
      "[control]\nexecutable = echo 'a; b' # c\nretries = 2\n",
    );
  });

  const changes: [what: string, before: string, keys: Record<string, string>, after: string][] = [
    [
      "gets new keys below the header, and keeps everything else",
      "# mine\n[control]\nexecutable = x ; y\n\n[params]\nretries = 7\n",
      { retries: "2" },
      "# mine\n[control]\nretries = 2\nexecutable = x ; y\n\n[params]\nretries = 7\n",
    ],
    [
      "loses the old value with its continuation lines",
      "[control]\nexecutable = a\n  b\n  c\nnice = 1\n",
      { executable: "d" },
      "[control]\nexecutable = d\nnice = 1\n",
    ],
    [
      "keeps fjd's section, key spelling and line ends",
      "[fjd]\r\nEXECUTABLE: a\r\nPriority: 1\r\n",
      { priority: "5" },
      "[fjd]\r\npriority = 5\r\nEXECUTABLE: a\r\n",
    ],
    [
      "may end in a header without a line break",
      "[params]\na=1\n[control]",
      { executable: "x" },
      "[params]\na=1\n[control]\nexecutable = x\n",
    ],
    [
      "sets a key of its own where [DEFAULT] has one",
      "[DEFAULT]\nretries = 1\n[control]\nexecutable = a\n",
      { retries: "2" },
      "[DEFAULT]\nretries = 1\n[control]\nretries = 2\nexecutable = a\n",
    ],
    ["stays as it is without keys", "not ini at all", {}, "not ini at all"],
  ];
  for (const [what, before, keys, after] of changes) {
    it(what, () => expect(withControlKeys("j.ini", before, keys)).to.equal(after));
  }

  it("is refused without a section of ours", () => {
    expect(() => withControlKeys("j.ini", "[x]\na = 1\n", { nice: "1" }))
      .to.throw(FjordError, 'nice cannot be set in "j.ini"')
      .with.property("code", "job-refused");
  });
});
