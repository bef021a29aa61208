import fc from "fast-check";
import type { IniReading, IniSection } from "../../src/job/ini-section.js";

/** Texts that match a pattern, or one of the given texts. */
function likeThis(pattern: RegExp, ...others: string[]): fc.Arbitrary<string> {
  return fc.oneof(fc.constantFrom(...others), fc.stringMatching(pattern));
}

const header = likeThis(/^[\w.-]{1,8}$/, "control", "params", "a.b", "0", "__proto__", "default");
const key = likeThis(/^[a-z0-9_.-]{1,8}$/, "executable", "logfile", "retries", "index", "__proto__", "1");
const value = fc.oneof(
  { weight: 6, arbitrary: likeThis(/^[\w./-]{1,20}$/, "/bin/true", "true", "null", "3", "out/a_17.log") },
  {
    weight: 3,
    arbitrary: likeThis(/^[!-~][ -~]{0,20}[!-~]$/, "a = b", "a: b", "true #", "'a'", "[x]", "[", "\\"),
  },
  { weight: 1, arbitrary: fc.nat(1100).map((length) => "v".repeat(length)) },
);
const delimiter = fc.constantFrom(" = ", " = ", "=", "  =", "=   ", " == ");
const end = fc.constantFrom("\n", "\n", "\n", "\n\n", "\n\n\n");
const lines = fc.uniqueArray(fc.tuple(key, delimiter, value, end), {
  selector: ([name]) => name,
  maxLength: 4,
});
const sections = fc.uniqueArray(fc.tuple(header, end, lines), { selector: ([name]) => name, maxLength: 3 });
const plain = sections.map((all) =>
  all.map(([name, below, keys]) => `[${name}]${below}${keys.flat().join("")}`).join(""),
);

/** Parts that can turn a plain text into one that is not, or change what it says. */
// biome-ignore format: a list
const INTRUDERS = [
  "", " ", "  ", "\t", "\n", "\n\n", "\r", "\r\n", "\f", "\x1c", "\x7f", "\u0085", "\u00a0", "\u2028", "\uFEFF", "\0",
  "\n ", "\n\t", "\n \n", "\n more", "\n\n  more", "\r\n more", "\n more = 1", "\n [more]",
  "#", ";", "\n#", "\n;", " #", "# x = 1\n", '"', "'", "\\", "%", "%(x)s",
  "[", "]", "=", ":", "A", "é", "\u212a", "ſ", "😀",
  "[DEFAULT]\n", "[control]\n", "[ a ]\n", "[a] b\n", "[a] = 1\n", "[a]b]\n", "[]\n",
  "x = 1\n", "x = 1\nx = 2\n", "X = 1\n", "x\n", "= 1\n", "x =\n", "x = \n", " x = 1\n",
];

interface Edit {
  readonly at: number;
  readonly less: number;
  readonly more: string;
}

function edited(text: string, { at, less, more }: Edit): string {
  return text.slice(0, at) + more + text.slice(at + less);
}

const edit = fc.record({
  at: fc.nat(100),
  less: fc.constantFrom(0, 0, 1, 2),
  more: fc.constantFrom(...INTRUDERS),
});

/** Ini files of the kind that `readPlain` reads, and files that differ from such a file in one or two places. */
export const NEARLY_PLAIN = fc
  .tuple(plain, fc.array(edit, { maxLength: 2 }))
  .map(([text, edits]) => edits.reduce(edited, text));

/** A plain file, and all files that differ from it by one part, which stands between two characters or instead of one. */
export function* nearlyPlainFiles(): Generator<string> {
  const text = "[control]\nexecutable = a 'b' #\nx1=2\n\n[params]\nindex  = 3";
  for (let at = 0; at <= text.length; at++) {
    for (const more of INTRUDERS) for (const less of [0, 1]) yield edited(text, { at, less, more });
  }
}

/** Everything that a reading tells, in its order. */
export function toldBy(reading: IniReading): unknown {
  if (!reading.ok) return reading;
  const keys = [...reading.sections.values(), reading.defaults].flatMap(({ own }) => [...own.keys()]);
  const told = (found: IniSection) => ({
    name: found.name,
    line: found.line,
    own: [...found.own],
    values: [...found],
    entries: [...keys, "x"].map((one) => found.entry(one)),
  });
  return {
    sections: [...reading.sections].map(([name, found]) => [name, told(found)]),
    defaults: told(reading.defaults),
  };
}
