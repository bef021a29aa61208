import fs from "node:fs";
import { FjordError } from "../job/error.js";
import { visible } from "../job/quote.js";

/** Character with which Node replaces each byte that is not UTF-8. Node cannot find a file by such a path. */
const LOST = "\uFFFD";

/**
 * Refuses a path that Node cannot represent, before fjord makes or reads something under another name.
 *
 * @param what description of the path at the beginning of a sentence: `The current directory`
 * @throws FjordError `bad-project`
 */
export function refuseUnlessUtf8(what: string, path: string): void {
  if (!path.includes(LOST)) return;
  throw new FjordError(
    "bad-project",
    `${what} "${shown(path)}" has a name that is not valid UTF-8 (or holds U+FFFD).`,
    "Rename it, or use another directory.",
  );
}

/** The path with each byte that is not UTF-8 written as `\xff`, if the system reports these bytes. */
function shown(path: string): string {
  const bytes = currentBytes();
  const here = bytes?.toString() ?? "";
  const isBelow = bytes !== undefined && (path === here || path.startsWith(`${here}/`));
  const text = isBelow ? escaped(bytes) + path.slice(here.length) : path;
  return visible(text).replaceAll(LOST, "\\u{fffd}");
}

function currentBytes(): Buffer | undefined {
  try {
    return fs.readlinkSync("/proc/self/cwd", "buffer");
  } catch {
    return undefined;
  }
}

/** Converts bytes to text, and escapes each byte that is not part of a valid character. */
function escaped(bytes: Buffer): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const character = [1, 2, 3, 4]
      .map((length) => bytes.subarray(at, at + length))
      .find((some) => Buffer.from(some.toString()).equals(some));
    text += character?.toString() ?? `\\x${(bytes[at] ?? 0).toString(16).padStart(2, "0")}`;
    at += character?.length ?? 1;
  }
  return text;
}
