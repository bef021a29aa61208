import { expect } from "chai";
import { slipsIn } from "../../src/job/slips.js";

describe("a probable mistake in a placeholder", () => {
  const SAID: [what: string, names: string[] | undefined, text: string, says: RegExp][] = [
    ["a misspelt name", ["alpha"], "run {alhpa}", /^\{alhpa\} is not a value .* mean \{alpha\}\?$/],
    ["a misspelt name beside a correct one", ["alpha", "beta"], "run {alpha} {betta}", /mean \{beta\}\?$/],
    ["a misspelt {index}", [], "run {indx}", /mean \{index\}\?$/],
    ["a name in the wrong case", ["LR"], "run {lr}", /mean \{LR\}\?$/],
    ["an unknown name that resembles no other", ["lr"], "run {seed}", /There are \{lr\}, \{index\}\.$/],
    [
      "GNU parallel's braces in a sweep",
      ["line"],
      "gzip {}",
      /^\{\} stays .* There are \{line\}, \{index\}\.$/,
    ],
    ["GNU parallel's braces", undefined, "gzip {}", /--each-line - -- COMMAND \{line\}$/],
    ["GNU parallel's braces in an option", undefined, "fit --in={.}.csv", /^\{\.\} stays/],
    ["GNU parallel's braces in a path", undefined, "cat in/{} > out/{}", /^\{\} stays/],
    [
      "GNU parallel's colons",
      undefined,
      "gzip {} ::: a b",
      /^::: is a word .*--param x=a,b,c -- COMMAND \{x\}$/,
    ],
    ["four of GNU parallel's colons", undefined, "gzip :::: files", /^:::: is a word/],
  ];
  const names = (own: string[] | undefined) => own && new Set(["index", ...own]);
  for (const [what, own, text, says] of SAID) {
    it(`is reported for ${what}: ${text}`, () => {
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
    it(`is not reported for ${text}`, () => {
      expect(slipsIn({ texts: [text], names: names(own) })).to.deep.equal([]);
    });
  }
});
