import { nearest } from "./nearest.js";

/** What is known of a command line that is looked through for slips. */
export interface Looked {
  /** The words of the command, and all else where a value may be put in. */
  readonly texts: readonly string[];
  /** The names of the values that vary; undefined: nothing varies. */
  readonly names: ReadonlySet<string> | undefined;
}

/** Braces that may be a place for a value: not the shell's `${x}`, not taken literally by a backslash. */
const BRACES = /(?<![$\\@])\{([^{}\n]*)\}/g;
const NAME = /^[A-Za-z_][\w.-]*$/;
/** Shorter names are near to anything. */
const TELLING = 3;
/** What has braces, or three colons, of its own. */
const OWN_BRACES = /(?:^|[\s/])(?:find|fd|fdfind|xargs|parallel|curl|jq)(?:\s|$)|(?:^|\s)-(?:exec|ok)/m;
/** GNU parallel's braces as they stand in a word of a command: `{}`, `{.}.png`, `--in={}`. */
const PARALLEL = /(?:^|\s)(?:--?[\w-]+=)?[\w./-]*(\{(?:[./#%]|\/\/|\/\.)?\})[\w./-]*(?=[\s;|>)]|$)/m;
const COLONS = /(?:^|\s)(::::?\+?)(?=\s|$)/m;

/**
 * What looks like a place for a value and is none, so that it stays as it is: a line each, for people. It may be meant:
 * `{}` is `find`'s, `{print}` is awk's. So little is said: a name that is near to a known one; any name where no known one
 * stands; and what GNU parallel would fill in.
 */
export function slipsIn({ texts, names }: Looked): string[] {
  const found = texts.flatMap((text) => [...text.matchAll(BRACES)].map(([, name = ""]) => name));
  const known = names === undefined ? [] : [...names].reverse(); // the number of the element, which is always there, comes last
  const isFilled = found.some((name) => names?.has(name));
  const slips = isFilled ? [] : parallelsIn(texts.join("\n"), known);
  for (const name of new Set(found)) {
    if (names === undefined || names.has(name) || !NAME.test(name)) continue;
    const near = nearTo(name, known);
    if (near !== undefined) slips.push(`{${name}} is no value and stays as it is. Did you mean {${near}}?`);
    else if (!isFilled && known.length > 1) {
      slips.push(`{${name}} is no value and stays as it is. There are ${braced(known)}.`);
    }
  }
  return slips;
}

/** @param known names of values; none: nothing varies */
function parallelsIn(line: string, known: readonly string[]): string[] {
  if (OWN_BRACES.test(line)) return [];
  const [, colons] = COLONS.exec(line) ?? [];
  if (colons !== undefined) {
    return [`${colons} is a word of the command here. For what varies: --param x=a,b,c -- COMMAND {x}`];
  }
  const [, braces] = PARALLEL.exec(line) ?? [];
  if (braces === undefined) return [];
  const values = known.length > 1 ? `There are ${braced(known)}.` : "";
  const how = values || "For a job for each line of what comes in: --each-line - -- COMMAND {line}";
  return [`${braces} stays as it is. ${how}`];
}

function nearTo(name: string, known: readonly string[]): string | undefined {
  const same = known.find((one) => one.toLowerCase() === name.toLowerCase());
  if (same !== undefined) return same;
  return name.length < TELLING
    ? undefined
    : nearest(
        name,
        known.filter((one) => one.length >= TELLING),
      );
}

function braced(names: readonly string[]): string {
  return names.map((name) => `{${name}}`).join(", ");
}
