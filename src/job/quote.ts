/** How many characters of a text that somebody else wrote a reason repeats. */
const SHOWN = 80;

/** Line breaks, control and format characters (bidi overrides too), halves of surrogate pairs. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * A text that somebody else wrote, made fit for one line of a log or terminal: what cannot be seen is
 * escaped (`\n`, `\u{1b}`), so that no file name or value can forge a line of ours or move a cursor.
 */
export function visible(text: string): string {
  return text.replace(UNSEEN, (char) => {
    if (char === "\n") return "\\n";
    if (char === "\r") return "\\r";
    if (char === "\t") return "\\t";
    return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

/** The same, cut after 80 characters. */
export function cut(text: string): string {
  // The first slice keeps a value of a megabyte from being spread into characters.
  const chars = Array.from(text.slice(0, 2 * (SHOWN + 1)));
  return chars.length > SHOWN ? `${visible(chars.slice(0, SHOWN).join(""))}…` : visible(text);
}

/** The same in double quotes. Inner quotes stay as they are: this is for people, not for a shell. */
export function quote(text: string): string {
  return `"${cut(text)}"`;
}
