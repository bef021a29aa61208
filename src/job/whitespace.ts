/**
 * Whether a character is white space for Python's `str.strip` and `\s`. Unlike `trim`, Python includes U+001C to U+001F and
 * U+0085, and excludes U+FEFF. Source: `str.isspace`, Unicode's bidirectional types WS, B and S, and category Zs.
 */
function isSpace(code: number): boolean {
  if (code < 0x80) return code === 0x20 || (code >= 0x09 && code <= 0x0d) || (code >= 0x1c && code <= 0x1f);
  if (code < 0x1680) return code === 0x85 || code === 0xa0;
  if (code >= 0x2000 && code <= 0x200a) return true;
  return [0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000].includes(code);
}

/** Number of white space characters at the start of a line. A tab counts as one character. */
export function indentOf(line: string): number {
  let start = 0;
  while (start < line.length && isSpace(line.charCodeAt(start))) start++;
  return start;
}

/** Python's `str.rstrip`. */
export function stripEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(0, end);
}

/** Python's `str.strip`. */
export function strip(text: string): string {
  return stripEnd(text.slice(indentOf(text)));
}
