import { FjordError } from "./error.js";
import { type IniReading, parseIni } from "./ini-reader.js";
import { cut, quote } from "./quote.js";

// What other rooms need to know of the dialect: how to read it, and how to write it.
export {
  type IniProblem,
  type IniReading,
  IniSection,
  parseIni,
} from "./ini-reader.js";

export type IniValues = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * Writes sections so that fjord and Python's `configparser.RawConfigParser()` read the same values back. It is
 * sure of that because it reads what it wrote. A value of several lines becomes continuation lines.
 *
 * @throws FjordError `bad-usage` for what the dialect cannot hold: white space around a value or one of its
 * lines, a line break at the end, a line of a value that reads as a comment, a key that is not lower case,
 * NUL, half a surrogate pair.
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
    // An empty line inside a value is no continuation line and needs no indentation.
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
    // Half a surrogate pair reads back here, but no file can hold it.
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

/** Only asked once something is wrong, to find out what. */
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
