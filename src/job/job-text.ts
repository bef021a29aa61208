import { FjordError } from "./error.js";
import { formatIni, parseIni } from "./ini-dialect.js";
import type { IniSection } from "./ini-section.js";
import { readJob, STRICT_SECTIONS } from "./job.js";
import { quote } from "./quote.js";
import type { Values } from "./sweep.js";

/** Keys of `[control]`, with their values as text. */
export type ControlKeys = Readonly<Record<string, string>>;

type Sections = ReadonlyMap<string, IniSection>;

/** Keys of `[params]`, which holds values for the job's program. They are in lower case, as an ini file ignores case. */
function paramKeys(params: Values): ControlKeys {
  return Object.fromEntries([...params].map(([name, value]) => [name.toLowerCase(), value]));
}

/** The text of a new job file. @throws FjordError `bad-usage` for a value that an ini file cannot hold */
export function newJobText(keys: ControlKeys, params?: Values): string {
  return formatIni({ control: keys, ...(params && { params: paramKeys(params) }) });
}

/** Reason why a job file with this value would be refused; undefined when the value is valid. */
export function wrongIn(key: string, value: string): string | undefined {
  const text = newJobText({ executable: "true", [key]: value });
  const reading = readJob("a.ini", Buffer.from(text), false);
  return reading.ok ? undefined : reading.reason.split(`key ${quote(key)}: `)[1];
}

/**
 * A job file's text with values set in its section `[params]`. The section is added if the file has none. The rest of the
 * text stays as it is.
 *
 * @throws FjordError `job-refused` when the text cannot be changed in this way, `bad-usage` for a value that an ini file cannot
 * hold
 */
export function withParams(file: string, text: string, params: Values): string {
  const keys = paramKeys(params);
  const sections = sectionsOf(text);
  const before = sections?.get("params");
  if (sections !== undefined && before !== undefined) return withKeys(file, text, sections, before, keys);
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const section = formatIni({ params: keys }).replaceAll("\n", eol);
  return `${text}${text.endsWith("\n") ? "" : eol}${eol}${section}`;
}

/**
 * A job file's text with keys set in its control section. The rest of the text, with its comments, stays as it is.
 *
 * @throws FjordError `job-refused` when the text cannot be changed in this way, for example when it is a script
 */
export function withControlKeys(file: string, text: string, keys: ControlKeys): string {
  if (Object.keys(keys).length === 0) return text;
  const sections = sectionsOf(text);
  const before = sections?.get("control") ?? sections?.get("fjd");
  if (sections === undefined || before === undefined) {
    throw cannot(file, keys, "it has no section [control]");
  }
  return withKeys(file, text, sections, before, keys);
}

/** A job file's text without some sections. Comments right above a section that stays are kept. */
export function withoutSections(text: string, names: readonly string[]): string {
  const sections = [...(sectionsOf(text)?.values() ?? [])].filter(({ line }) => line > 0);
  const headers = new Map(sections.map(({ name, line }) => [line, name]));
  const kept: string[] = [];
  let isGoing = false;
  let comments: string[] = [];
  for (const [i, line] of linesOf(text).entries()) {
    const name = headers.get(i + 1);
    // If a section occurs twice, the reader reports only its first header.
    if (name !== undefined || /^\[.+\]/.test(line)) {
      const wasGoing = isGoing;
      isGoing = name !== undefined && names.includes(name);
      if (wasGoing && !isGoing) kept.push(...comments);
    }
    comments = /^\s*[#;]/.test(line) ? [...comments, line] : [];
    if (!isGoing) kept.push(line);
  }
  return kept.join("");
}

/** Lines with their line ends, split at Python's universal newlines. */
function linesOf(text: string): string[] {
  return text.split(/(?<=\n|\r(?!\n))/);
}

function withKeys(
  file: string,
  text: string,
  sections: Sections,
  before: IniSection,
  keys: ControlKeys,
): string {
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const lines = linesOf(text);
  const header = lines[before.line - 1];
  if (header === undefined) throw cannot(file, keys, "its section could not be found again");
  const keyLines = [...before.own.values()].map(({ line }) => line);
  // The new keys need this indentation. With less of it, the keys below would be read as continuations of the new values.
  const indent = indentIn(lines[Math.min(...keyLines) - 1] ?? header);
  const found = Object.keys(keys)
    .map((key) => before.own.get(key)?.line)
    .filter((line) => line !== undefined);
  for (const line of found.sort((a, b) => b - a)) lines.splice(line - 1, 1 + continuations(lines, line));
  const set = formatIni({ [before.name]: keys })
    .split("\n")
    .slice(1, -1);
  if (!/[\r\n]$/.test(header)) lines[before.line - 1] = header + eol;
  lines.splice(before.line, 0, ...set.map((line) => (line === "" ? "" : indent) + line + eol));
  const changed = lines.join("");
  if (!isChanged(sections, sectionsOf(changed), before.name, keys)) {
    throw cannot(file, keys, "the result would not read back the same");
  }
  return changed;
}

/** Number of lines below a key's line that continue its value, with the comments and empty lines between them. */
function continuations(lines: readonly string[], line: number): number {
  const indent = indentIn(lines[line - 1] ?? "").length;
  let count = 0;
  for (let i = line; i < lines.length; i++) {
    const next = lines[i] ?? "";
    if (/^\s*(?:[#;]|$)/.test(next)) continue;
    if (indentIn(next).length <= indent) break;
    count = i + 1 - line;
  }
  return count;
}

function indentIn(line: string): string {
  return /^[ \t]*/.exec(line)?.[0] ?? "";
}

function sectionsOf(text: string): Sections | undefined {
  const ini = parseIni(Buffer.from(text), { strictIn: STRICT_SECTIONS });
  return ini.ok ? ini.sections : undefined;
}

/** Whether the keys have their new values, and all other keys their old ones. */
function isChanged(
  before: Sections,
  after: Sections | undefined,
  section: string,
  keys: ControlKeys,
): boolean {
  if (after === undefined || before.size !== after.size) return false;
  return [...before].every(([name, entries]) => {
    const expected = new Map([...entries, ...(name === section ? Object.entries(keys) : [])]);
    const found = new Map(after.get(name) ?? []);
    return found.size === expected.size && [...expected].every(([key, value]) => found.get(key) === value);
  });
}

function cannot(file: string, keys: ControlKeys, why: string): FjordError {
  return new FjordError(
    "job-refused",
    `${Object.keys(keys).join(", ")} cannot be set in ${quote(file)}: ${why}.`,
    "Write it into the file yourself.",
  );
}
