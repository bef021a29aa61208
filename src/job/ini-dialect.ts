import { FjordError } from "./error.js";
import { parseIni } from "./ini-reader.js";
import type { IniReading } from "./ini-section.js";
import { cut, quote } from "./quote.js";

// Other directories of `src/` import the reader and the writer from this file.
export { parseIni } from "./ini-reader.js";
export { type IniProblem, type IniReading, IniSection } from "./ini-section.js";

export type IniValues = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * Writes sections so that fjord and Python's `configparser.RawConfigParser()` read the same values back. To check this, the
 * function reads its own text. A value of several lines becomes continuation lines.
 *
 * @throws FjordError `bad-usage` for values that the dialect cannot hold: white space around a value or one of its lines, a
 * line break at the end, a line that reads as a comment, a key that is not in lower case, NUL, half a surrogate pair
 */
export function formatIni(values: IniValues): string {
  const text = Object.entries(values).map(formatSection).join("\n");
  const reading = parseIni(text);
  const isSame = Object.entries(values).every(([section, wanted]) => isReadBack(section, wanted, reading));
  if (!isSame) throw cannotBeWritten(values);
  return text;
}

function formatSection([section, values]: [string, IniValues[string]]): string {
  let text = `[${section}]\n`;
  for (const [key, value] of Object.entries(values)) {
    // An empty line inside a value needs no indentation.
    const lines = value.replace(/\n(?=[^\n])/g, "\n\t");
    text += /^(?:\n|$)/.test(lines) ? `${key} =${lines}\n` : `${key} = ${lines}\n`;
  }
  return text;
}

function isReadBack(section: string, wanted: IniValues[string], reading: IniReading): boolean {
  if (!reading.ok) return false;
  const found = section === reading.defaults.name ? reading.defaults : reading.sections.get(section);
  const entries = Object.entries(wanted);
  return (
    found?.own.size === entries.length &&
    entries.every(([key, value]) => found.own.get(key)?.value === value) &&
    // This reader accepts half a surrogate pair, but no UTF-8 file can hold one.
    !/\p{Cs}/u.test(section + entries.flat().join("\n"))
  );
}

function cannotBeWritten(values: IniValues): FjordError {
  for (const [section, entries] of Object.entries(values)) {
    const named = `[${cut(section)}]`;
    if (!canStandAlone(section, {})) {
      return refusal(`section ${named}`, "name", "Use a section name of one line.");
    }
    for (const [key, value] of Object.entries(entries)) {
      if (canStandAlone(section, { [key]: value })) continue;
      return refusal(`section ${named}, key ${quote(key)}`, `value ${quote(value)}`, KEY_HINT);
    }
  }
  throw new Error("formatIni: every part reads back, but the whole does not");
}

const KEY_HINT =
  'Use a key in lower case without "=" and ":", and a value without white space around its lines and without lines that start with "#" or ";".';

/** Finds the entry that cannot be written. This is called only when the whole text did not read back with the same values. */
function canStandAlone(section: string, wanted: IniValues[string]): boolean {
  return isReadBack(section, wanted, parseIni(formatSection([section, wanted])));
}

function refusal(where: string, what: string, hint: string): FjordError {
  return new FjordError(
    "bad-usage",
    `${where}: an ini file cannot hold this ${what} so that it reads back the same`,
    hint,
  );
}
