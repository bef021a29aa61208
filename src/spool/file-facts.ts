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

/** @param keepsInodes whether an inode is the same for all clients, and after a rename */
export function factsOf(stat: fs.Stats, keepsInodes = true): FileFacts {
  const kind = stat.isFile()
    ? "file"
    : stat.isDirectory()
      ? "directory"
      : stat.isSymbolicLink()
        ? "symlink"
        : "other";
  return {
    ino: keepsInodes ? stat.ino : 0,
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
 * NFS says ESTALE of what was found by its path and taken away before it could be asked: it is looked for once more. Told so
 * again, it is the store that has trouble, and no answer.
 */
export async function unlessStale<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!isErrno(error, "ESTALE")) throw error;
    return ask();
  }
}

/** Undefined: there is no such file. */
export async function factsIfThere(store: Store, path: string): Promise<FileFacts | undefined> {
  try {
    return await unlessStale(() => store.facts(path));
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/** The names in a directory: none where there is no such directory. */
export async function namesIfThere(store: Store, dir: string): Promise<string[]> {
  try {
    return await unlessStale(() => store.list(dir));
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}

/** What a write that took nothing means. */
export function shortWrite(path: string): Error {
  return Object.assign(new Error(`short write: ${path}`), { code: "ENOSPC" });
}
