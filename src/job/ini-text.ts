/** Decoder that drops one BOM. It throws for bytes that are not UTF-8, because they must not become U+FFFD in a command line. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Python's universal newlines. */
export const NEWLINE = /\r\n?|\n/;

export type TextReading = { readonly text: string } | { readonly badLine: number };

/**
 * The text of an ini file without its BOM, or the number (from 1) of the first line that holds a NUL or is not UTF-8. Python
 * accepts a NUL. fjord does not, because no command line and no path can hold one.
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

/** Decodes line by line. This is safe because no multi-byte character of UTF-8 contains a line feed. */
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
