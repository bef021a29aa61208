import { DEFAULT, type IniEntry, type IniReading, IniSection } from "./ini-section.js";

/**
 * Longest plain text, in characters. The values are slices of the text and keep all of it in memory, whereas those of
 * `readFully` are copies.
 */
const LIMIT = 1024;

/**
 * A header, or a key with its value, and the empty lines below. No space stands around the line, the value is not empty, and
 * all characters are printable ASCII. Quotes, `#`, `;`, `%` and `\` have no meaning inside a value of this dialect. The
 * command lines that `fjord submit` writes end with ` #`.
 */
const LINE = /(?:\[([\w.-]+)\]|([a-z0-9_.-]+) *= *([!-~][ -~]*)(?<! ))(\n+|$)/y;

const NO_DEFAULTS = new IniSection(DEFAULT, 0, new Map());

/**
 * Reads a plain text: most job files, and most files that fjord itself writes. `readFully` needs ten times as long for the
 * same result. In a plain text no line depends on another one or on an option of the reader: there are no comments, no
 * continuation lines, no `[DEFAULT]`, and no section or key stands twice.
 *
 * @returns undefined when the text is not plain, although it may be valid
 */
export function readPlain(text: string): IniReading | undefined {
  if (text.length > LIMIT) return undefined;
  const sections = new Map<string, IniSection>();
  let entries: Map<string, IniEntry> | undefined;
  let line = 1;
  LINE.lastIndex = 0;
  while (LINE.lastIndex < text.length) {
    const found = LINE.exec(text);
    if (found === null) return undefined;
    const header = found[1];
    const key = found[2] as string;
    if (header === undefined) {
      if (entries === undefined || entries.has(key)) return undefined;
      entries.set(key, { value: found[3], line, inherited: false });
    } else {
      if (header === DEFAULT || sections.has(header)) return undefined;
      entries = new Map();
      sections.set(header, new IniSection(header, line, entries));
    }
    line += found[4]?.length ?? 0;
  }
  return { ok: true, sections, defaults: NO_DEFAULTS };
}
