import { FjordError } from "./error.js";
import { formatIni, parseIni } from "./ini-dialect.js";
import type { IniSection } from "./ini-reader.js";
import { quote } from "./quote.js";

/** Keys of `[control]` and their values as they stand in the file. */
export type ControlKeys = Readonly<Record<string, string>>;

/** The text of a new job file. @throws FjordError `bad-usage` for what an ini file cannot hold */
export function newJobText(keys: ControlKeys): string {
  return formatIni({ control: keys });
}

/**
 * A job file's text with some keys of its control section set; all else stays as it was written, comments too.
 *
 * @throws FjordError `job-refused` when that cannot be done, such as for a script
 */
export function withControlKeys(file: string, text: string, keys: ControlKeys): string {
  if (Object.keys(keys).length === 0) return text;
  const before = controlSection(text);
  if (before === undefined) throw cannot(file, keys, "it has no section [control]");
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const lines = text.split(/(?<=\n)/);
  const found = Object.keys(keys)
    .map((key) => before.own.get(key)?.line)
    .filter((line) => line !== undefined);
  for (const line of found.sort((a, b) => b - a)) lines.splice(line - 1, 1 + continuations(lines, line));
  const set = newJobText(keys).split("\n").slice(1, -1);
  const header = lines[before.line - 1];
  if (header === undefined) throw cannot(file, keys, "its section could not be found again");
  if (!header.endsWith("\n")) lines[before.line - 1] = header + eol;
  lines.splice(before.line, 0, ...set.map((line) => line + eol));
  const changed = lines.join("");
  if (!isAsWished(before, controlSection(changed), keys)) {
    throw cannot(file, keys, "the result would not read back the same");
  }
  return changed;
}

/** How many lines below the key's own go on with its value. */
function continuations(lines: readonly string[], line: number): number {
  let count = 0;
  while (/^[ \t]+\S/.test(lines[line + count] ?? "")) count++;
  return count;
}

function controlSection(text: string): IniSection | undefined {
  const ini = parseIni(Buffer.from(text));
  return ini.ok ? (ini.sections.get("control") ?? ini.sections.get("fjd")) : undefined;
}

function isAsWished(before: IniSection, after: IniSection | undefined, keys: ControlKeys): boolean {
  if (after === undefined) return false;
  const wished = new Map([...before, ...Object.entries(keys)]);
  const found = new Map(after);
  return found.size === wished.size && [...wished].every(([key, value]) => found.get(key) === value);
}

function cannot(file: string, keys: ControlKeys, why: string): FjordError {
  return new FjordError(
    "job-refused",
    `${Object.keys(keys).join(", ")} cannot be set in ${quote(file)}: ${why}.`,
    "Write it into the file yourself.",
  );
}
