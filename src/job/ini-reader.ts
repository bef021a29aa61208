import { createRequire } from "node:module";
import { NEWLINE, textOf } from "./ini-text.js";
import { quote } from "./quote.js";
import { indentOf, strip, stripEnd } from "./whitespace.js";

// Not imported: Node first searches a CommonJS module that is imported for what it exports, a tenth of a command's start.
const { parse } = createRequire(import.meta.url)("ini") as typeof import("ini");

/**
 * The ini dialect of Python's `configparser.RawConfigParser()`, which people and fjd write job files in.
 * Source: `RawConfigParser._read` of CPython 3.11; `test/job/configparser.test.ts` holds this reader to it.
 *
 * The npm package `ini` does the final parse. Alone it cuts values at `;` and `#`, knows no `:`, nests
 * sections at dots, drops `__proto__`, and makes a list of a key that stands in two sections. So this file
 * works out which lines belong to which key, and hands `ini` a text that leaves nothing to its taste.
 */
export type IniReading =
  | { readonly ok: true; readonly sections: ReadonlyMap<string, IniSection>; readonly defaults: IniSection }
  | ({ readonly ok: false } & IniProblem);

/** Why a text is not ini, for a person: `problem` says what was found and what to write instead. */
export interface IniProblem {
  /** Counted from 1. */
  readonly line: number;
  readonly section?: string;
  readonly key?: string;
  readonly problem: string;
}

export interface IniEntry {
  /** Undefined for a key without a delimiter, which only a section that is read leniently can have. */
  readonly value: string | undefined;
  readonly line: number;
  /** Comes from `[DEFAULT]`. */
  readonly inherited: boolean;
}

/** One section. Keys are lower case. Inherits when it is asked, so that a large `[DEFAULT]` costs nothing. */
export class IniSection {
  readonly name: string;
  /** Where its first header stands; 0 for a `[DEFAULT]` that is not there. */
  readonly line: number;
  /** What the section says by itself, in the order of the file. */
  readonly own: ReadonlyMap<string, IniEntry>;
  readonly #defaults: ReadonlyMap<string, IniEntry> | undefined;

  constructor(
    name: string,
    line: number,
    own: ReadonlyMap<string, IniEntry>,
    defaults?: ReadonlyMap<string, IniEntry>,
  ) {
    this.name = name;
    this.line = line;
    this.own = own;
    this.#defaults = defaults;
  }

  /** The section's own entry, else the one in `[DEFAULT]`. */
  entry(key: string): IniEntry | undefined {
    const own = this.own.get(key);
    if (own !== undefined) return own;
    const inherited = this.#defaults?.get(key);
    return inherited && { ...inherited, inherited: true };
  }

  get(key: string): string | undefined {
    return this.entry(key)?.value;
  }

  /** Keys and values: its own, then the inherited ones. Keys without a value are left out. */
  *[Symbol.iterator](): Generator<[key: string, value: string]> {
    for (const [key, { value }] of this.own) if (value !== undefined) yield [key, value];
    for (const [key, { value }] of this.#defaults ?? []) {
      if (value !== undefined && !this.own.has(key)) yield [key, value];
    }
  }
}

export interface IniOptions {
  /**
   * The sections that are held to configparser's strict mode: no section and no key twice, no line without a
   * delimiter. All of them when not given. In any other section what is said last counts, sections of one name
   * are one, a line without a delimiter is a key without a value, and a line without a key is passed over:
   * its owner reads it with a parser of his own.
   */
  readonly strictIn?: ReadonlySet<string>;
  /** The section that is suggested for keys that stand in none; `control` when not given. */
  readonly suggested?: string;
}

interface EntryDraft {
  readonly line: number;
  /** The value's lines, stripped; undefined for a key without a delimiter. */
  readonly lines: string[] | undefined;
}

interface SectionDraft {
  readonly name: string;
  readonly line: number;
  readonly entries: Map<string, EntryDraft>;
}

const DEFAULT = "DEFAULT";
const NOT_TEXT = "is not a text file (a NUL, or bytes that are not UTF-8); save it as UTF-8";

/**
 * Reads a whole ini file. Never throws: what is wrong is in the result, with its line.
 * Text is taken as it is, bytes must be UTF-8; a BOM is dropped; a NUL is a problem (Python lets it pass).
 */
export function parseIni(content: Uint8Array | string, options: IniOptions = {}): IniReading {
  const reading = textOf(content);
  if ("badLine" in reading) return { ok: false, line: reading.badLine, problem: NOT_TEXT };
  const collector = new Collector(options);
  const problem = collector.collect(reading.text);
  return problem ? { ok: false, ...problem } : readNormalised([...collector.sections.values()]);
}

/** configparser's walk over the lines: sorts them into sections and keys, or meets the first problem. */
class Collector {
  /** `[DEFAULT]` is always the first. */
  readonly sections = new Map<string, SectionDraft>([
    [DEFAULT, { name: DEFAULT, line: 0, entries: new Map() }],
  ]);
  readonly #strictIn: ReadonlySet<string> | undefined;
  readonly #suggested: string;
  #section: SectionDraft | undefined;
  /** What a deeper line continues: none after a header, and none after a line without a key. */
  #entry: EntryDraft | undefined;
  /** Of the last header or key. */
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
 * Lets `ini` read what was collected. Sections go by number (`ini` nests dots and drops `__proto__`), keys
 * carry the number too (`ini` counts the repetitions of a key over all sections), everything else is a JSON
 * string. `ini` still takes the strings true, false and null for values: `String` gives them back exactly.
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
    defaults ??= own; // [DEFAULT] is always the first draft.
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
  // The two line ends that JSON leaves alone; the `.` in the pattern of `ini` stops at them.
  return text.replace(/[\u2028\u2029]/g, (char) => (char === "\u2028" ? "\\u2028" : "\\u2029"));
}

/** `[a]b] c` is a header of the section `a]b`; `[]` is none. */
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
