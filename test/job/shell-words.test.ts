import { execFileSync } from "node:child_process";
import { expect } from "chai";
import { canGoOn, commandLineOf, shellLineIn, withoutLineBreaks } from "../../src/job/shell-words.js";

const ARGV = [process.execPath, "-e", "console.log(JSON.stringify(process.argv.slice(1)))", "--"];

/** The arguments that a program gets from a shell that runs the line. */
function argumentsBy(line: string): unknown {
  return JSON.parse(execFileSync("/bin/sh", ["-c", line], { encoding: "utf8" }));
}

describe("a command line of words", () => {
  // biome-ignore format: a list
  const words = [
    "plain", "a b", "", "it's", '"', "$HOME", "$(id)", "`id`", "*", "?", "[a]", ";", "&", "|", "<", ">", "(", ")", "{a,b}",
    "#", "~", "!", "\\", "\\n", "%s", "%", "-n", "--", "a=b", "é", "日本", "\t", " x ", "a\nb", "\n  # x\n\n", "\r\n", "\x01", "'\n\\%'",
  ];

  it("gives a program each word unchanged", () => {
    expect(argumentsBy(commandLineOf([...ARGV, ...words]))).to.deep.equal(words);
  });

  it("gives the same words when its line breaks are replaced", () => {
    const line = withoutLineBreaks(commandLineOf([...ARGV, ...words]));
    expect(line).not.to.match(/\p{Cc}/u);
    expect(argumentsBy(line)).to.deep.equal(words);
  });

  it("has quotes only around words that a shell would change", () => {
    expect(commandLineOf(["python", "run.py", "--lr=0.1", "./a-b_c@d%e+f:g,h"])).to.equal(
      "python run.py --lr=0.1 ./a-b_c@d%e+f:g,h",
    );
    expect(commandLineOf(["echo", "a b", ""])).to.equal("echo 'a b' ''");
  });

  it("is the word itself when the only word is a whole command line", () => {
    for (const line of ["make && ./run", "a b", "echo $HOME", "ls *.txt", "(cd x; make)"]) {
      expect(shellLineIn([line])).to.equal(line);
      expect(commandLineOf([line])).to.equal(line);
    }
    expect(shellLineIn(["make"])).to.equal(undefined);
    expect(shellLineIn(["make", "a b"])).to.equal(undefined);
    expect(commandLineOf(["make"])).to.equal("make");
  });

  it("can be continued on the same line unless it has several lines or ends in a backslash", () => {
    expect(["a b", "a # b", "a\nb", "a \\"].map(canGoOn)).to.deep.equal([true, true, false, false]);
  });
});
