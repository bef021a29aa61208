import type { Dice } from "../rig/dice.js";

// biome-ignore format: a list
const WORDS = [
  "x", "y", "Key", "a b", "executable", "__proto__", "constructor", "hasOwnProperty", "toString", "x[]", "[]",
  "true", "false", "null", "12", "0", "a.b", "é", "İ", "ΑΣ", "😀", "%(x)s", "%", '"', "'", '"a"', "'a'", "\\", "\\;",
  "\\u0041", "{}", "[", "]", "]]", "\uFEFF", "\u200b",
];
// biome-ignore format: a list
const SPACES = [" ", "  ", "\t", "\u00a0", "\f", "\v", "\x1c", "\u0085", "\u2028", "\u2029", "\u3000"];
const SIGNS = ["=", ":", "#", ";"];
const ENDS = ["\n", "\n", "\n", "\r\n", "\r"];
const HEADERS = [
  "control",
  "fjd",
  "job",
  "a.b",
  "DEFAULT",
  "__proto__",
  "a]b",
  " control",
  "1",
  "0",
  '"q"',
  "a\\.b",
];

export interface Awkward {
  file(): string;
  value(): string;
  key(): string;
  header(): string;
}

/** Makes ini files and parts of ini files from fragments that are difficult to read. */
export function awkward(dice: Dice): Awkward {
  const below = (n: number) => dice.below(n);
  const pick = (list: readonly string[]) => dice.pick(list);
  const some = (chance: number, make: () => string) => (dice.next() < chance ? make() : "");
  const soup = (n: number) =>
    Array.from({ length: below(n) }, () => pick([WORDS, WORDS, SPACES, SIGNS][below(4)] ?? WORDS)).join("");
  const space = () => some(0.5, () => pick(SPACES));
  const indent = () => some(0.3, () => " ".repeat(1 + below(3)));
  const lines = [
    () => `${some(0.2, () => pick(SPACES))}[${pick(HEADERS)}]${some(0.1, () => soup(3))}`,
    () =>
      `${indent()}${pick(WORDS)}${some(0.3, () => soup(3))}${space()}${pick(["=", ":"])}${space()}${soup(6)}`,
    () => `${indent()}${pick(WORDS)}${below(100)} = ${soup(6)}`,
    () => `${" ".repeat(1 + below(4))}${soup(5)}`,
    () => `${indent()}${some(0.5, () => `${pick(["#", ";"])}${soup(4)}`)}`,
    () => some(0.15, () => soup(8)),
  ];
  return {
    file() {
      const header = some(0.9, () => `[${pick(HEADERS)}]\n`);
      const body = Array.from({ length: below(9) }, () => `${lines[below(lines.length)]?.()}${pick(ENDS)}`);
      return header + body.join("");
    },
    value: () =>
      Array.from(
        { length: 1 + below(3) },
        () => some(0.9, () => pick(WORDS)) + some(0.4, () => soup(4)),
      ).join("\n"),
    key: () => `${some(0.3, () => soup(3))}${pick(WORDS)}`.toLowerCase(),
    header: () => `${some(0.3, () => soup(2))}${pick(HEADERS)}`,
  };
}
