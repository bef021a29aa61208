import fs from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { shortWrite } from "./file-facts.js";

/**
 * Writes until all is written: write(2) may take a part, and says by the next call why it took no more.
 *
 * @param position where to begin; null: where the file is, or at its end if it was opened so
 * @throws ErrnoException: then a part may be written
 */
export function writeAllSync(fd: number, path: string, bytes: Uint8Array, position: number | null): void {
  for (let done = 0; done < bytes.length; ) {
    const n = fs.writeSync(fd, bytes, done, bytes.length - done, position === null ? null : position + done);
    if (n === 0) throw shortWrite(path);
    done += n;
  }
}

/** The same, through the thread pool. */
export async function writeAll(
  handle: FileHandle,
  path: string,
  bytes: Uint8Array,
  position: number | null,
): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const at = position === null ? null : position + done;
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at);
    if (bytesWritten === 0) throw shortWrite(path);
    done += bytesWritten;
  }
}
