import fs from "node:fs";
import type { FileHandle } from "node:fs/promises";

/**
 * Writes all bytes. One write(2) may write only a part. The next write(2) then fails with the reason.
 *
 * @param position offset of the first byte; null: the current offset, which is the end of a file that was opened to append
 * @throws ErrnoException, perhaps after a part of the bytes has been written
 */
export function writeAllSync(fd: number, path: string, bytes: Uint8Array, position: number | null): void {
  for (let done = 0; done < bytes.length; ) {
    const n = fs.writeSync(fd, bytes, done, bytes.length - done, position === null ? null : position + done);
    if (n === 0) throw shortWrite(path);
    done += n;
  }
}

/** Does the same as `writeAllSync` in libuv's thread pool. */
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

/** The error for a write(2) that wrote no byte, which means that the store is full. */
function shortWrite(path: string): Error {
  return Object.assign(new Error(`short write: ${path}`), { code: "ENOSPC" });
}
