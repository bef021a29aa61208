import { FjordError } from "./error.js";
import { quote } from "./quote.js";
import { shellWord } from "./shell-words.js";
import type { Values } from "./sweep.js";

/** A text with placeholders. The placeholders are found once, and then filled for each element. */
export interface Template {
  /** Whether the text has a placeholder. */
  readonly isVaried: boolean;
  /** @throws FjordError `bad-usage` when a value is missing */
  fill(values: Values): string;
}

/** A way to write placeholders. */
export interface Notation {
  /** Matches one placeholder. The expression must be sticky (`y`). */
  readonly pattern: RegExp;
  nameOf(match: RegExpExecArray): string;
}

/** `{lr}`. Braces after a `$` belong to the shell. */
const BRACES: Notation = { pattern: /(?<!\$)\{([^{}\n]+)\}/y, nameOf: ([, name = ""]) => name };

/** `{lr}` in an ini file, whose keys are case-insensitive. */
export const ANY_CASE: Notation = { ...BRACES, nameOf: (match) => BRACES.nameOf(match).toLowerCase() };

/** Placeholders of fjd: `$1`, `${1}`. */
export const DOLLARS: Notation = {
  pattern: /\$(?:\{(\d+)\}|(\d+))/y,
  nameOf: ([, braced, plain]) => `param${braced ?? plain}`,
};

type Names = ReadonlySet<string>;
/** Kind of quotes in which a placeholder stands in a shell command line. */
type Quoting = "plain" | "single" | "double";
type Part = string | { readonly name: string; readonly quoting: Quoting | undefined };

/** Template of a text that is not a command line. Each `{name}` becomes its value, unchanged. Other braces stay. */
export function textTemplate(text: string, names: Names, notation: Notation = BRACES): Template {
  const parts: Part[] = [];
  let literal = 0;
  for (let at = text.indexOf("{"); at >= 0; at = text.indexOf("{", at + 1)) {
    const found = placeAt(text, at, names, notation);
    if (found === undefined) continue;
    parts.push(text.slice(literal, at), { name: found.name, quoting: undefined });
    literal = at + found.length;
  }
  parts.push(text.slice(literal));
  return templateOf(parts);
}

/**
 * Template of a shell command line. A value is always one word of the line or part of a word, whatever it contains. The value is
 * quoted for its place (POSIX shell, 2.2). Outside of quotes it gets single quotes if it needs them. In double quotes it gets
 * backslashes. In single quotes, the quotes are closed and opened again. A backslash before the brace makes it literal. Quotes
 * are also tracked inside `$(…)`, but not in here-documents.
 */
export function shellTemplate(line: string, names: Names, notation: Notation = BRACES): Template {
  const parts: Part[] = [];
  let literal = 0;
  const stack: ("plain" | "(" | "`" | "single" | "double")[] = ["plain"];
  for (let at = 0; at < line.length; at++) {
    const top = stack.at(-1) ?? "plain";
    const quoting = top === "single" || top === "double" ? top : "plain";
    const found = placeAt(line, at, names, notation);
    if (found !== undefined) {
      parts.push(line.slice(literal, at), { name: found.name, quoting });
      literal = at + found.length;
      at = literal - 1;
      continue;
    }
    const char = line[at];
    if (quoting === "single") {
      if (char === "'") stack.pop();
    } else if (char === "\\") at++;
    else if (char === "`") top === "`" ? stack.pop() : stack.push("`");
    else if (char === '"') quoting === "double" ? stack.pop() : stack.push("double");
    else if (char === "(" && (quoting === "plain" || line[at - 1] === "$")) stack.push("(");
    else if (quoting === "double") continue;
    else if (char === ")" && top === "(") stack.pop();
    else if (char === "'") stack.push("single");
    else if (char === "#" && /^$|[\s;&|()]/.test(line.slice(0, at).slice(-1))) {
      const end = line.indexOf("\n", at);
      at = end < 0 ? line.length : end;
    }
  }
  parts.push(line.slice(literal));
  return templateOf(parts);
}

function placeAt(
  text: string,
  at: number,
  names: Names,
  { pattern, nameOf }: Notation,
): { readonly name: string; readonly length: number } | undefined {
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const name = nameOf(match);
  return names.has(name) ? { name, length: match[0].length } : undefined;
}

function templateOf(parts: readonly Part[]): Template {
  return {
    isVaried: parts.some((part) => typeof part !== "string"),
    fill: (values) => parts.map((part) => (typeof part === "string" ? part : written(part, values))).join(""),
  };
}

function written({ name, quoting }: Exclude<Part, string>, values: Values): string {
  const value = values.get(name);
  if (value === undefined) {
    throw new FjordError("bad-usage", `there is no value ${quote(name)}.`);
  }
  if (quoting === "plain") return shellWord(value);
  if (quoting === "double") return value.replace(/[\\"$`]/g, "\\$&");
  return quoting === "single" ? value.replaceAll("'", "'\\''") : value;
}
