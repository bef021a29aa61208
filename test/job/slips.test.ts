import { expect } from "chai";
import { slipsIn } from "../../src/job/slips.js";

describe("what looks like a place for a value and is none", () => {
  const SAID: [what: string, names: string[] | undefined, text: string, says: RegExp][] = [
    ["a slip of the pen", ["alpha"], "run {alhpa}", /^\{alhpa\} is no value .* mean \{alpha\}\?$/],
    ["one beside a right one", ["alpha", "beta"], "run {alpha} {betta}", /mean \{beta\}\?$/],
    ["the number", [], "run {indx}", /mean \{index\}\?$/],
    ["another case", ["LR"], "run {lr}", /mean \{LR\}\?$/],
    ["a name, and no right one", ["lr"], "run {seed}", /There are \{lr\}, \{index\}\.$/],
    [
      "GNU parallel's braces in a sweep",
      ["line"],
      "gzip {}",
      /^\{\} stays .* There are \{line\}, \{index\}\.$/,
    ],
    ["GNU parallel's braces", undefined, "gzip {}", /--each-line - -- COMMAND \{line\}$/],
    ["those in an option", undefined, "fit --in={.}.csv", /^\{\.\} stays/],
    ["those in a path", undefined, "cat in/{} > out/{}", /^\{\} stays/],
    [
      "GNU parallel's colons",
      undefined,
      "gzip {} ::: a b",
      /^::: is a word .*--param x=a,b,c -- COMMAND \{x\}$/,
    ],
    ["four of them", undefined, "gzip :::: files", /^:::: is a word/],
  ];
  const names = (own: string[] | undefined) => own && new Set(["index", ...own]);
  for (const [what, own, text, says] of SAID) {
    it(`${what}: ${text}`, () => {
      const [said = "", ...more] = slipsIn({ texts: [text], names: names(own) });
      expect(said).to.match(says);
      expect(more).to.deep.equal([]);
    });
  }

  const UNSAID: [names: string[] | undefined, text: string][] = [
    [["line"], "awk '{print}' {line}"],
    [["n"], "run {n} {x} {N1}"],
    [["alpha"], "run $" + "{alhpa} \\{alhpa} {alpha}"],
    [["alpha"], "run"],
    [[], "git log @{upstream}"],
    [[], "awk '{print}' file"],
    [undefined, "awk '{print}' file"],
    [undefined, "find . -exec rm {} +"],
    [undefined, "ls | xargs -I{} gzip {}"],
    [undefined, "/usr/bin/parallel gzip {} ::: a b"],
    [undefined, "curl -d {} host"],
    [undefined, "python -c d={}; print(d)"],
    [undefined, "node -e f({})"],
    [undefined, "echo '{}' > empty.json"],
    [undefined, "f() { echo; }; f"],
    [undefined, "perl -e Foo::Bar"],
  ];
  for (const [own, text] of UNSAID) {
    it(`is not thought of in ${text}`, () => {
      expect(slipsIn({ texts: [text], names: names(own) })).to.deep.equal([]);
    });
  }
});
