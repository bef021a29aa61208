import { expect } from "chai";
import { FjordError } from "../../src/job/error.js";
import { newJobText, withControlKeys, withoutSections } from "../../src/job/job-text.js";

describe("a job file's text", () => {
  it("is made from keys", () => {
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
    [
      "loses the old value with empty lines and comments in it",
      "[control]\nexecutable = a\n\n  b\n# mine\n  c\n\n# nice\nnice = 1\n",
      { executable: "d" },
      "[control]\nexecutable = d\n\n# nice\nnice = 1\n",
    ],
    [
      "may be indented as a whole",
      "  [control]\n   executable = a\n     b\n   nice = 1\n  [x]\n  y = 1\n",
      { executable: "c\nd" },
      "  [control]\n   executable = c\n   \td\n   nice = 1\n  [x]\n  y = 1\n",
    ],
    [
      "may have old Mac line ends",
      "[control]\rexecutable = a\rnice = 1\r",
      { executable: "b" },
      "[control]\rexecutable = b\nnice = 1\r",
    ],
    ["stays as it is without keys", "not ini at all", {}, "not ini at all"],
  ];
  for (const [what, before, keys, after] of changes) {
    it(what, () => expect(withControlKeys("j.ini", before, keys)).to.equal(after));
  }

  it("is refused without a section [control] or [fjd]", () => {
    expect(() => withControlKeys("j.ini", "[x]\na = 1\n", { nice: "1" }))
      .to.throw(FjordError, 'nice cannot be set in "j.ini"')
      .with.property("code", "job-refused");
  });

  const losses: [what: string, before: string, after: string][] = [
    [
      "at the start, in the middle or at the end",
      "[go]\na = 1\n[x]\nb = 1\n[go2]\n[stay]",
      "[x]\nb = 1\n[stay]",
    ],
    ["with the continuation lines of its keys", "[x]\n[go]\na =\n  [1]\n\n  2\n[y]\n", "[x]\n[y]\n"],
    [
      "but not the comments above the next section",
      "[go]\n# a\na = 1\n# b\n\n# y\n; z\n[y]\n",
      "# y\n; z\n[y]\n",
    ],
    ["and keeps the comments above it", "# top\n[go]\n# a\na = 1\n", "# top\n"],
    ["and the section after it", "[go]\na = 1\n# b\n[go2]\n[y]\n", "[y]\n"],
    ["and keeps another section that occurs twice", "[y]\n[go]\na = 1\n[y]\nb = 2\n", "[y]\n[y]\nb = 2\n"],
    ["of an indented file", "  [x]\n  a = 1\n  [go]\n  b = 1\n  [y]\n", "  [x]\n  a = 1\n  [y]\n"],
    ["of a file with old Mac line ends", "[go]\ra = 1\r[y]\rb = 1\r", "[y]\rb = 1\r"],
  ];
  for (const [what, before, after] of losses) {
    it(`loses a section ${what}`, () => expect(withoutSections(before, ["go", "go2"])).to.equal(after));
  }
});
