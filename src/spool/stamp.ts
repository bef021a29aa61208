import type { FileFacts } from "./store.js";

/** What tells a job file from others that have or had its name, wherever it lies: a rename keeps it. */
export type FileMark = Pick<FileFacts, "ino" | "mtimeMs">;

/**
 * By inode. Where a side does not know it (0), by the modification time, to the second: SFTP has no more, and one host may
 * see the file through that and another not.
 */
export function isSameFile(a: FileMark, b: FileMark): boolean {
  if (a.ino !== 0 && b.ino !== 0) return a.ino === b.ino;
  return Math.floor(a.mtimeMs / 1000) === Math.floor(b.mtimeMs / 1000);
}

/**
 * What tells a job file, where it lies now, from every other of its name and from itself when it has been moved away and
 * back: a rename keeps inode and modification time, and changes the change time.
 */
export function stampOf({ ino, mtimeMs, ctimeMs }: FileFacts): string {
  return `${ino}:${mtimeMs}:${ctimeMs}`;
}

/** Of the file that a stamp was made of. */
export function markOf(stamp: string): FileMark {
  const [ino = 0, mtimeMs = Number.NaN] = stamp.split(":").map(Number);
  return { ino, mtimeMs };
}

/** Whether a stamp was this file's, wherever it lay then. */
export function isStampOf(stamp: string, file: FileMark): boolean {
  return isSameFile(markOf(stamp), file);
}

/** Whether two stamps, perhaps of two hosts, are those of one file in one place. */
export function isSameStamp(a: string, b: string): boolean {
  const [one, other] = [markOf(a), markOf(b)];
  return a === b || ((one.ino === 0 || other.ino === 0) && isSameFile(one, other));
}
