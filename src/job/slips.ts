import { nearest } from "./nearest.js";

/** A command line in which fjord looks for mistakes. */
export interface Looked {
  /** Words of the command, and other texts that may hold placeholders. */
  readonly texts: readonly string[];
  /** Names of the values that vary; undefined when nothing varies. */
  readonly names: ReadonlySet<string> | undefined;
}

/** Braces that may be meant as a placeholder. The shell's `${x}` and braces after a backslash are not meant so. */
const BRACES = /(?<![$\\@])\{([^{}\n]*)\}/g;
const NAME = /^[A-Za-z_][\w.-]*$/;
/** Length of the shortest name that is compared with known names. A shorter name is near to every name. */
const TELLING = 3;
/** Commands that use braces or three colons themselves. */
const OWN_BRACES = /(?:^|[\s/])(?:find|fd|fdfind|xargs|parallel|curl|jq)(?:\s|$)|(?:^|\s)-(?:exec|ok)/m;
/** Placeholders of GNU parallel in a word of a command: `{}`, `{.}.png`, `--in={}`. */
const PARALLEL = /(?:^|\s)(?:--?[\w-]+=)?[\w./-]*(\{(?:[./#%]|\/\/|\/\.)?\})[\w./-]*(?=[\s;|>)]|$)/m;
const COLONS = /(?:^|\s)(::::?\+?)(?=\s|$)/m;

/**
 * Warnings about texts that look like a placeholder but stay as they are, one line each. Such braces may be intended, because
 * `find` uses `{}` and awk uses `{print}`. Only these are reported: a name that is near to a known name, any name in a line
 * without a known name, and placeholders of GNU parallel.
 */
export function slipsIn({ texts, names }: Looked): string[] {
  const found = texts.flatMap((text) => [...text.matchAll(BRACES)].map(([, name = ""]) => name));
  const known = names === undefined ? [] : [...names].reverse(); // the element's number always exists, and comes last
  const isFilled = found.some((name) => names?.has(name));
  const slips = isFilled ? [] : parallelsIn(texts.join("\n"), known);
  for (const name of new Set(found)) {
    if (names === undefined || names.has(name) || !NAME.test(name)) continue;
    const near = nearTo(name, known);
    if (near !== undefined)
      slips.push(`{${name}} is not a value and stays as it is. Did you mean {${near}}?`);
    else if (!isFilled && known.length > 1) {
      slips.push(`{${name}} is not a value and stays as it is. There are ${braced(known)}.`);
    }
  }
  return slips;
}

/** @param known names of values; empty when nothing varies */
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
