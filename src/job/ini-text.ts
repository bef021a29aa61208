/** Fatal: a byte that is no UTF-8 must not become U+FFFD in a command line. It drops one BOM by itself. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Python's universal newlines. */
export const NEWLINE = /\r\n?|\n/;

export type TextReading = { readonly text: string } | { readonly badLine: number };

/**
 * The text of an ini file, without its BOM, or the first line (from 1) that holds a NUL or is not UTF-8.
 * Python lets a NUL pass; fjord does not: no command line and no path can hold one.
 */
export function textOf(content: Uint8Array | string): TextReading {
  const text = typeof content === "string" ? content.replace(/^\uFEFF/, "") : decode(content);
  if (text === undefined) return { badLine: lineOfBadByte(content as Uint8Array) };
  const nul = text.indexOf("\0");
  return nul === -1 ? { text } : { badLine: countLines(text.slice(0, nul)) };
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** No character of several bytes holds a line feed, so the lines can be tried one by one. */
function lineOfBadByte(bytes: Uint8Array): number {
  let start = 0;
  let end = bytes.indexOf(0x0a);
  while (end !== -1 && decode(bytes.subarray(start, end)) !== undefined) {
    start = end + 1;
    end = bytes.indexOf(0x0a, start);
  }
  return countLines(decode(bytes.subarray(0, start)) ?? "");
}

function countLines(text: string): number {
  return text.split(NEWLINE).length;
}
