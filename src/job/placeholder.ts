import { FjordError } from "./error.js";
import { quote } from "./quote.js";
import { shellWord } from "./shell-words.js";
import type { Values } from "./sweep.js";

/** A text with places for values, found once and filled for each element. */
export interface Template {
  /** Whether it has such a place at all. */
  readonly isVaried: boolean;
  /** @throws FjordError `bad-usage` when a value is missing */
  fill(values: Values): string;
}

/** How a place for a value is written, and which value it means. */
export interface Notation {
  /** Sticky. */
  readonly pattern: RegExp;
  nameOf(match: RegExpExecArray): string;
}

/** `{lr}`. After a `$` it is the shell's own. */
const BRACES: Notation = { pattern: /(?<!\$)\{([^{}\n]+)\}/y, nameOf: ([, name = ""]) => name };

/** The same for names of keys of an ini file, which have no case. */
export const ANY_CASE: Notation = { ...BRACES, nameOf: (match) => BRACES.nameOf(match).toLowerCase() };

/** fjd's: `$1`, `${1}`. */
export const DOLLARS: Notation = {
  pattern: /\$(?:\{(\d+)\}|(\d+))/y,
  nameOf: ([, braced, plain]) => `param${braced ?? plain}`,
};

type Names = ReadonlySet<string>;
/** How the shell reads what stands at a place. */
type Quoting = "plain" | "single" | "double";
type Part = string | { readonly name: string; readonly quoting: Quoting | undefined };

/** A text that is no command line: each `{name}` becomes its value as it is. What is no name in braces stays. */
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
 * A shell command line: a value is one word of it, or a part of one, whatever is in it. It is quoted as its place asks for
 * (POSIX shell, 2.2): outside of quotes when it is not plain, in double quotes by backslashes, in single quotes by leaving
 * them for a moment. A backslash before the brace takes it literally. Quotes are followed into `$(…)`, not into here-documents.
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
