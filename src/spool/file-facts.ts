import fs from "node:fs";
import { type FileFacts, isErrno, type Store } from "./store.js";

/** Reading never follows a symlink and never waits for the other end of a FIFO. */
export const READ_FLAGS = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;

/**
 * Nor does writing: a symlink that somebody has put where fjord is about to write would lead it to a file of his choice.
 * (What is made with O_EXCL never follows one.)
 */
export const APPEND_FLAGS =
  fs.constants.O_WRONLY | fs.constants.O_APPEND | fs.constants.O_CREAT | fs.constants.O_NOFOLLOW;
export const WRITE_FLAGS = fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_NOFOLLOW;
export const OVERWRITE_FLAGS = fs.constants.O_RDWR | fs.constants.O_NOFOLLOW;

export function factsOf(stat: fs.Stats): FileFacts {
  const kind = stat.isFile()
    ? "file"
    : stat.isDirectory()
      ? "directory"
      : stat.isSymbolicLink()
        ? "symlink"
        : "other";
  return {
    ino: stat.ino,
    size: stat.size,
    mtimeMs: stat.mtimeMs,
    ctimeMs: stat.ctimeMs,
    mode: stat.mode,
    uid: stat.uid,
    gid: stat.gid,
    kind,
  };
}

/**
 * Undefined: there is no such file, or (ESTALE) it was just taken away. For who looks again soon; who acts on a file's
 * absence takes ESTALE for trouble, not for an answer.
 */
export async function factsIfThere(store: Store, path: string): Promise<FileFacts | undefined> {
  try {
    return await store.facts(path);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ESTALE")) return undefined;
    throw error;
  }
}

/** The names in a directory, under the same terms: none where there is no such directory. */
export async function namesIfThere(store: Store, dir: string): Promise<string[]> {
  try {
    return await store.list(dir);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ESTALE")) return [];
    throw error;
  }
}

/** What a write that took only some of the bytes means. */
export function shortWrite(path: string): Error {
  return Object.assign(new Error(`short write: ${path}`), { code: "ENOSPC" });
}
