/** What stands where a value was. */
const HIDDEN = "…";

const NAME = /^\s*[A-Za-z_][A-Za-z0-9_]*(?==)/;
const SECRET =
  "[A-Za-z0-9_-]*(?:token|secret|passw|passphrase|credential|api[_-]?key|access[_-]?key|private[_-]?key)[A-Za-z0-9_-]*";
/** `--api-token abc`, `DB_PASSWORD=abc` in the middle of a line: up to the sign or blank before the value. */
const SECRETS = new RegExp(`(?<![A-Za-z0-9_-])(?:--?${SECRET}(?:=|[ \\t]+(?!-))|${SECRET}=)`, "gi");

/**
 * A command line as it may be told of in what is kept or passed on (`--json`, a terminal's log): without the values of the
 * variables that it begins with, which is where `--env` and `--export` write theirs, and without what a name anywhere in it
 * says is a secret. The job file alone has them.
 */
export function withoutSecrets(line: string): string {
  const { assignments, command } = divided(line);
  return assignments + withoutNamed(command);
}

/** What a command line does, without the variables that it sets first. */
export function behindAssignments(line: string): string {
  return divided(line).command.replace(/^[\s;]+/, "");
}

/** Into the assignments that it begins with, without their values, and the rest. */
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
    if (index < from) continue; // in a value that is not shown
    const value = index + found.length;
    const length = wordLength(line.slice(value));
    shown += line.slice(from, value) + (length > 0 ? HIDDEN : "");
    from = value + length;
  }
  return shown + line.slice(from);
}

/** Characters of the word that a shell would read here (POSIX 2.3): quotes, and what is substituted, belong to it. */
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
