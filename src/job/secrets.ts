/** Text in place of a hidden value. */
const HIDDEN = "…";

const NAME = /^\s*[A-Za-z_][A-Za-z0-9_]*(?==)/;
const SECRET =
  "[A-Za-z0-9_-]*(?:token|secret|passw|passphrase|credential|api[_-]?key|access[_-]?key|private[_-]?key)[A-Za-z0-9_-]*";
/** Matches `--api-token abc` and `DB_PASSWORD=abc` anywhere in a line, up to the `=` or the space before the value. */
const SECRETS = new RegExp(`(?<![A-Za-z0-9_-])(?:--?${SECRET}(?:=|[ \\t]+(?!-))|${SECRET}=)`, "gi");

/**
 * A command line without its secrets, for texts that are kept or passed on (`--json`, a terminal's log). The values of the
 * variables at its beginning are hidden, because `--env` and `--export` write their variables there. A value is also hidden when
 * its name says that it is a secret. Only the job file holds these values.
 */
export function withoutSecrets(line: string): string {
  const { assignments, command } = divided(line);
  return assignments + withoutNamed(command);
}

/** A command line without the variables at its beginning. */
export function behindAssignments(line: string): string {
  return divided(line).command.replace(/^[\s;]+/, "");
}

/** Splits a line into the assignments at its beginning, with hidden values, and the command. */
function divided(line: string): { assignments: string; command: string } {
  const exported = /^\s*export[ \t]+(?=[A-Za-z_][A-Za-z0-9_]*=)/.exec(line)?.[0] ?? "";
  let assignments = exported;
  let rest = line.slice(exported.length);
  for (let name = NAME.exec(rest)?.[0]; name !== undefined; name = NAME.exec(rest)?.[0]) {
    rest = rest.slice(name.length + 1);
    const value = wordLength(rest);
    const gap = /^[ \t]*/.exec(rest.slice(value))?.[0] ?? "";
    assignments += `${name}=${value > 0 ? HIDDEN : ""}${gap}`;
    rest = rest.slice(value + gap.length);
  }
  return { assignments, command: rest };
}

function withoutNamed(line: string): string {
  let shown = "";
  let from = 0;
  for (const { 0: found, index } of line.matchAll(SECRETS)) {
    if (index < from) continue; // inside a hidden value
    const value = index + found.length;
    const length = wordLength(line.slice(value));
    shown += line.slice(from, value) + (length > 0 ? HIDDEN : "");
    from = value + length;
  }
  return shown + line.slice(from);
}

/** Length of the word at the beginning, as a shell reads it (POSIX 2.3), with its quotes and substitutions. */
function wordLength(text: string): number {
  let quote = "";
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    if (quote === "'") {
      if (char === "'") quote = "";
    } else if (char === "\\") i++;
    else if (quote !== "") {
      if (char === quote) quote = "";
    } else if (char === "'" || char === '"' || char === "`") quote = char;
    else if (char === "(") depth++;
    else if (char === ")" && depth > 0) depth--;
    else if (depth === 0 && /[\s;&|<>)]/.test(char)) return i;
  }
  return text.length;
}
