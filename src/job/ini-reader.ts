import { createRequire } from "node:module";
import { DEFAULT, type IniEntry, type IniProblem, type IniReading, IniSection } from "./ini-section.js";
import { NEWLINE, textOf } from "./ini-text.js";
import { readPlain } from "./plain-ini.js";
import { quote } from "./quote.js";
import { indentOf, strip, stripEnd } from "./whitespace.js";

// `require` instead of `import`: Node searches an imported CommonJS module for its exports, which takes a tenth of a
// command's start-up time.
const { parse } = createRequire(import.meta.url)("ini") as typeof import("ini");

export interface IniOptions {
  /**
   * Sections that are read in configparser's strict mode: no section and no key twice, no line without a delimiter. The
   * default is all sections. The other sections belong to the job, which reads them with its own parser. There, the last
   * entry of a key counts, sections of one name are merged, a line without a delimiter is a key without a value, and a line
   * without a key is skipped.
   */
  readonly strictIn?: ReadonlySet<string>;
  /** Section that a message suggests for keys before any section. The default is `control`. */
  readonly suggested?: string;
}

interface EntryDraft {
  readonly line: number;
  /** Lines of the value, stripped; undefined for a key without a delimiter. */
  readonly lines: string[] | undefined;
}

interface SectionDraft {
  readonly name: string;
  readonly line: number;
  readonly entries: Map<string, EntryDraft>;
}

const NOT_TEXT = "is not a text file (a NUL, or bytes that are not UTF-8); save it as UTF-8";

/**
 * Reads a whole ini file as Python's `configparser.RawConfigParser()` does. Source: `RawConfigParser._read` of CPython 3.11.
 * `test/job/configparser.test.ts` compares this reader with Python's. The function never throws; a problem is in the result,
 * with its line. Bytes must be UTF-8. A BOM is dropped. A NUL is a problem, although Python accepts it.
 */
export function parseIni(content: Uint8Array | string, options: IniOptions = {}): IniReading {
  const reading = textOf(content);
  if ("badLine" in reading) return { ok: false, line: reading.badLine, problem: NOT_TEXT };
  return readPlain(reading.text) ?? readFully(reading.text, options);
}

/**
 * Reads any text. For a text that `readPlain` accepts, both functions give the same result.
 *
 * The npm package `ini` does the final parse. Used alone it cuts values at `;` and `#`, does not know `:`, nests sections at
 * dots, drops `__proto__`, and makes a list of a key that stands in two sections. This file therefore finds out which lines
 * belong to which key, and gives `ini` a normalised text that it cannot misread.
 */
export function readFully(text: string, options: IniOptions): IniReading {
  const collector = new Collector(options);
  const problem = collector.collect(text);
  return problem ? { ok: false, ...problem } : readNormalised([...collector.sections.values()]);
}

/** Goes through the lines as configparser does, and assigns them to sections and keys, until it finds the first problem. */
class Collector {
  /** Sections by name. `[DEFAULT]` is always the first. */
  readonly sections = new Map<string, SectionDraft>([
    [DEFAULT, { name: DEFAULT, line: 0, entries: new Map() }],
  ]);
  readonly #strictIn: ReadonlySet<string> | undefined;
  readonly #suggested: string;
  #section: SectionDraft | undefined;
  /** Entry that an indented line continues; undefined after a header and after a line without a key. */
  #entry: EntryDraft | undefined;
  /** Indentation of the last header or key. */
  #indent = 0;

  constructor({ strictIn, suggested = "control" }: IniOptions) {
    this.#strictIn = strictIn;
    this.#suggested = suggested;
  }

  collect(text: string): IniProblem | undefined {
    let line = 0;
    for (const raw of text.includes("\r") ? text.split(NEWLINE) : text.split("\n")) {
      line++;
      const indent = indentOf(raw);
      if (indent === raw.length) {
        this.#entry?.lines?.push("");
        continue;
      }
      if (raw[indent] === "#" || raw[indent] === ";") continue;
      const content = stripEnd(raw.slice(indent));
      if (this.#entry !== undefined && indent > this.#indent) {
        this.#entry.lines?.push(content);
        continue;
      }
      this.#indent = indent;
      const header = headerOf(content);
      const problem = header === undefined ? this.#takeOption(line, content) : this.#takeHeader(line, header);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  #takeHeader(line: number, name: string): IniProblem | undefined {
    const known = this.sections.get(name);
    const isFirst = known === undefined || known.line === 0;
    if (!isFirst && name !== DEFAULT && this.#isStrict(name)) {
      const problem = `stands a second time (the first is on line ${known.line}); make one of them`;
      return { line, section: name, problem };
    }
    this.#entry = undefined;
    this.#section = isFirst ? { name, line, entries: new Map() } : known;
    if (isFirst) this.sections.set(name, this.#section);
    return undefined;
  }

  #takeOption(line: number, content: string): IniProblem | undefined {
    const section = this.#section;
    if (section === undefined) {
      const instead = `write a section's header such as [${this.#suggested}] above it`;
      return { line, problem: `found ${quote(content)} before any section; ${instead}` };
    }
    const at = delimiterIn(content);
    const key = stripEnd(at === -1 ? content : content.slice(0, at)).toLowerCase();
    const problem = this.#isStrict(section.name) ? problemOfOption(section, key, at, content) : undefined;
    if (problem !== undefined) return { line, section: section.name, ...problem };
    const lines = at === -1 ? undefined : [strip(content.slice(at + 1))];
    this.#entry = key === "" ? undefined : { line, lines };
    if (this.#entry !== undefined) section.entries.set(key, this.#entry);
    return undefined;
  }

  #isStrict(section: string): boolean {
    return this.#strictIn?.has(section) ?? true;
  }
}

function problemOfOption(section: SectionDraft, key: string, at: number, content: string) {
  if (at === -1) return { problem: `found ${quote(content)}, which has no "=" or ":"; write "key = value"` };
  if (key === "") return { problem: `found ${quote(content)}, which has no key; write "key = value"` };
  const first = section.entries.get(key);
  if (first)
    return { key, problem: `is given a second time (the first is on line ${first.line}); keep one of them` };
  return undefined;
}

/**
 * Parses the collected lines with `ini`. In the normalised text, sections are numbers, because `ini` nests names at dots and
 * drops `__proto__`. Keys carry the section's number, because `ini` counts the repetitions of a key over all sections. Values
 * are JSON strings. `ini` turns the strings true, false and null into values, and `String` turns them back.
 */
function readNormalised(drafts: readonly SectionDraft[]): IniReading {
  const parsed = parse(normalise(drafts), { bracketedArray: false });
  const sections = new Map<string, IniSection>();
  let defaults: ReadonlyMap<string, IniEntry> | undefined;
  drafts.forEach(({ name, line, entries }, number) => {
    const own = new Map<string, IniEntry>();
    for (const [key, draft] of entries) {
      const value = draft.lines && String(parsed[number]?.[`${number} ${key}`]);
      own.set(key, { value, line: draft.line, inherited: false });
    }
    defaults ??= own; // [DEFAULT] is always the first draft
    sections.set(name, new IniSection(name, line, own, name === DEFAULT ? undefined : defaults));
  });
  const ofAll = sections.get(DEFAULT) ?? new IniSection(DEFAULT, 0, new Map());
  sections.delete(DEFAULT);
  return { ok: true, sections, defaults: ofAll };
}

function normalise(drafts: readonly SectionDraft[]): string {
  let text = "";
  drafts.forEach(({ entries }, number) => {
    text += `[${number}]\n`;
    for (const [key, { lines }] of entries) {
      if (lines === undefined) continue;
      const value = lines.length === 1 ? lines[0] : stripEnd(lines.join("\n"));
      text += `${JSON.stringify(`${number} ${key}`)}=${JSON.stringify(value)}\n`;
    }
  });
  // JSON does not escape these two line ends, and the `.` in the pattern of `ini` does not match them.
  return text.replace(/[\u2028\u2029]/g, (char) => (char === "\u2028" ? "\\u2028" : "\\u2029"));
}

/** Name in a section header; undefined for other lines. `[a]b] c` is the header of `a]b`, and `[]` is not a header. */
function headerOf(content: string): string | undefined {
  if (content[0] !== "[") return undefined;
  const end = content.lastIndexOf("]");
  return end > 1 ? content.slice(1, end) : undefined;
}

function delimiterIn(content: string): number {
  const equals = content.indexOf("=");
  const colon = content.indexOf(":");
  return equals === -1 || (colon !== -1 && colon < equals) ? colon : equals;
}
