// biome-ignore-all lint/suspicious/noTemplateCurlyInString: braces behind a dollar are the shell's
import { execFileSync } from "node:child_process";
import { expect } from "chai";
import { FjordError } from "../../src/job/error.js";
import { DOLLARS, shellTemplate, textTemplate } from "../../src/job/placeholder.js";

const NAMES = new Set(["lr", "line", "index", "param1", "param2"]);

describe("a text with placeholders", () => {
  const VALUES = new Map([
    ["index", "3"],
    ["lr", "a 'b' $c"],
  ]);
  const texts: [text: string, filled: string][] = [
    ["run_{index}", "run_3"],
    ["{index}{lr}{index}", "3a 'b' $c3"],
    ["{unknown} {} {{index}} ${index} {lr", "{unknown} {} {3} ${index} {lr"],
    ["", ""],
  ];
  for (const [text, filled] of texts) {
    it(`fills ${JSON.stringify(text)}`, () =>
      expect(textTemplate(text, NAMES).fill(VALUES)).to.equal(filled));
  }

  it("knows whether it has placeholders", () => {
    expect(["{lr}", "{x}"].map((text) => textTemplate(text, NAMES).isVaried)).to.deep.equal([true, false]);
  });

  it("throws for an element that lacks a value", () => {
    expect(() => textTemplate("{line}", NAMES).fill(VALUES)).to.throw(
      FjordError,
      'there is no value "line".',
    );
  });
});

describe("a command line with placeholders", () => {
  // biome-ignore format: a list
  const values = ["plain", "0.1", "", "a b", "it's", '"q"', "$HOME", "`id`", "\\", "\\n", "*", ";rm", "a\nb", "#", "~", "{lr}", "é", "-n", "!x"];
  // Each line prints the value, and nothing else on its standard output.
  const lines = [
    "printf %s {lr}",
    'printf %s "{lr}"',
    "printf %s '{lr}'",
    "printf %s \"$(printf '%s.' {lr})\" | sed '$s/.$//'",
    'printf %s "$(printf %s. "{lr}")" | sed \'$s/.$//\'',
    'x={lr}; printf %s "$x"',
    "(printf %s {lr})",
    "# it's a comment (\nprintf %s {lr}",
    'printf %s "a\'" >&2; printf %s {lr}',
    "printf %s \\' \\\" >&2; printf %s {lr}",
    "case x in x) printf %s {lr};; esac",
    "printf %s `echo x` >&2; printf %s '{lr}'",
  ];
  for (const line of lines) {
    it(`passes any value as one word: ${JSON.stringify(line)}`, () => {
      const template = shellTemplate(line, NAMES);
      for (const value of values) {
        const filled = template.fill(new Map([["lr", value]]));
        const printed = execFileSync("/bin/sh", ["-c", filled], { encoding: "utf8", stdio: "pipe" });
        expect(printed.replace(/\n$/, ""), filled).to.equal(value.replace(/\n$/, ""));
      }
    });
  }

  const texts: [line: string, filled: string][] = [
    ["run --lr={lr} {x} ${lr} {lr,index} {a..b} {}", "run --lr='1 2' {x} ${lr} {lr,index} {a..b} {}"],
    ["run \\{lr} { {lr}; }", "run \\{lr} { '1 2'; }"],
    ["awk '{print $1}' {lr}", "awk '{print $1}' '1 2'"],
    ["{lr}", "'1 2'"],
    ["echo a#{lr} # {lr}", "echo a#'1 2' # {lr}"],
  ];
  for (const [line, filled] of texts) {
    it(`leaves everything but its placeholders unchanged: ${line}`, () => {
      expect(shellTemplate(line, NAMES).fill(new Map([["lr", "1 2"]]))).to.equal(filled);
    });
  }

  it("also accepts fjd's notation", () => {
    const template = shellTemplate('cmd $1 ${2} "$1" $3 {lr}', NAMES, DOLLARS);
    const filled = template.fill(
      new Map([
        ["param1", "a b"],
        ["param2", "c"],
      ]),
    );
    expect(filled).to.equal("cmd 'a b' c \"a b\" $3 {lr}");
  });
});
