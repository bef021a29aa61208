import type { FileFacts } from "./store.js";

/** Identity of a job file. Two files with the same name have different marks, and a rename does not change the mark. */
export type FileMark = Pick<FileFacts, "ino" | "mtimeMs"> & Partial<Pick<FileFacts, "bornMs">>;

/** Parsed stamp. `ctimeMs` is the time when the file came to its directory, by the store's clock. */
type Stamp = FileMark & Pick<FileFacts, "ctimeMs">;

/**
 * Whether two marks are of the same file. The inode numbers must be equal, and also the birth times if both are known, because a
 * file system reuses the inode number of a removed file. If one inode number is unknown (0), the modification times must be equal
 * instead. These times are compared in whole seconds, because one of the hosts may see the file through SFTP, which has no
 * fractions of a second.
 */
export function isSameFile(a: FileMark, b: FileMark): boolean {
  if (a.ino !== 0 && b.ino !== 0) return a.ino === b.ino && (!knowBirth(a, b) || a.bornMs === b.bornMs);
  return Math.floor(a.mtimeMs / 1000) === Math.floor(b.mtimeMs / 1000);
}

/**
 * Whether two marks that were made at different times belong to one life of a job. A life lasts from the submission of a file
 * until the file is removed. This is stricter than `isSameFile`. Without birth times the inode number may be reused, so the
 * modification times must agree.
 */
export function isSameLife(a: FileMark, b: FileMark): boolean {
  if (!isSameFile(a, b)) return false;
  return knowBirth(a, b) || a.ino === 0 || b.ino === 0 || a.mtimeMs === b.mtimeMs;
}

function knowBirth(a: FileMark, b: FileMark): boolean {
  return Boolean(a.bornMs) && Boolean(b.bornMs);
}

/**
 * Text that identifies a job file in its present directory. A rename changes the change time and keeps the other values, so a
 * file that was moved away and back has a new stamp.
 *
 * @returns `INODE:MTIME:CTIME:BIRTH`, times in ms; without the birth time if that is unknown
 */
export function stampOf({ ino, mtimeMs, ctimeMs, bornMs }: Stamp): string {
  return bornMs ? `${ino}:${mtimeMs}:${ctimeMs}:${bornMs}` : `${ino}:${mtimeMs}:${ctimeMs}`;
}

/** Mark of the file to which a stamp belongs. */
export function markOf(stamp: string): Stamp {
  const [ino = 0, mtimeMs = Number.NaN, ctimeMs = Number.NaN, bornMs = 0] = stamp.split(":").map(Number);
  return { ino, mtimeMs, ctimeMs, bornMs };
}

/** Whether a stamp belongs to this file, in any directory. */
export function isStampOf(stamp: string, file: FileMark): boolean {
  return isSameFile(markOf(stamp), file);
}

/** Whether two stamps, perhaps made on two hosts, belong to the same file in the same directory. */
export function isSameStamp(a: string, b: string): boolean {
  const [one, other] = [markOf(a), markOf(b)];
  if (!isSameFile(one, other)) return false;
  return one.ino === 0 || other.ino === 0 || (one.mtimeMs === other.mtimeMs && one.ctimeMs === other.ctimeMs);
}
