/** Largest number of characters of a foreign text that a message repeats. */
const SHOWN = 80;

/** Characters that cannot be seen: line breaks, control and format characters (with bidi overrides), half surrogate pairs. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * A foreign text, made safe for one line of a log or a terminal. Invisible characters are escaped (`\n`, `\u{1b}`), so that no
 * file name or value can forge a line of fjord or move the cursor.
 */
export function visible(text: string): string {
  return text.replace(UNSEEN, (char) => {
    if (char === "\n") return "\\n";
    if (char === "\r") return "\\r";
    if (char === "\t") return "\\t";
    return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

/** Like `visible`, but also cuts the text after 80 characters. */
export function cut(text: string): string {
  // The slice comes first, so that a value of a megabyte is not split into characters.
  const chars = Array.from(text.slice(0, 2 * (SHOWN + 1)));
  return chars.length > SHOWN ? `${visible(chars.slice(0, SHOWN).join(""))}…` : visible(text);
}

/** Like `cut`, in double quotes. Inner quotes stay as they are, because the text is for people, not for a shell. */
export function quote(text: string): string {
  return `"${cut(text)}"`;
}
