import type fs from "node:fs";
import { type FileFacts, isErrno, type Soon, type Store } from "./store.js";

/** @param keepsInodes whether all clients see the same inode number, also after a rename */
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
    bornMs: keepsInodes ? birthOf(stat) : 0,
    mode: stat.mode,
    uid: stat.uid,
    gid: stat.gid,
    kind,
  };
}

/** On systems without statx(2), libuv reports the change time as the birth time. */
function birthOf({ birthtimeMs, ctimeMs }: fs.Stats): number {
  return birthtimeMs === ctimeMs ? 0 : birthtimeMs;
}

/** Calls `next` with the result of a call: at once if the result is known, or else when it comes. */
export function whenKnown<T, U>(result: Soon<T>, next: (value: T) => Soon<U>): Soon<U> {
  return result instanceof Promise ? result.then(next) : next(result);
}

/**
 * Calls `ask`, and calls `ask` once more after ESTALE. NFS returns ESTALE when a file is removed between the lookup of its path
 * and the call itself. A second ESTALE is an error of the store, and is thrown.
 */
export function unlessStale<T>(ask: () => Promise<T>): Promise<T>;
export function unlessStale<T>(ask: () => Soon<T>): Soon<T>;
export function unlessStale<T>(ask: () => Soon<T>): Soon<T> {
  const answer = ask();
  if (!(answer instanceof Promise)) return answer;
  return answer.catch((error) => {
    if (!isErrno(error, "ESTALE")) throw error;
    return ask();
  });
}

/** Result of a call of the store, or `otherwise` if its file or a directory above the file does not exist. */
export function ifThere<T>(call: Promise<T>): Promise<T | undefined>;
export function ifThere<T, const O>(call: Promise<T>, otherwise: O): Promise<T | O>;
export function ifThere<T>(call: Soon<T>): Soon<T | undefined>;
export function ifThere<T, O>(call: Soon<T>, otherwise?: O): Soon<T | O | undefined> {
  if (!(call instanceof Promise)) return call;
  return call.catch((error) => {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return otherwise;
    throw error;
  });
}

/** Renames a file. @returns false if the file, or a directory of one of the paths, does not exist */
export async function renameIfThere(store: Store, from: string, to: string): Promise<boolean> {
  return (await ifThere(whenKnown(store.rename(from, to), () => true))) ?? false;
}

/** Facts of a file; undefined if it does not exist. */
export function factsIfThere(store: Store, path: string): Soon<FileFacts | undefined> {
  return ifThere(unlessStale(() => store.facts(path)));
}

/** Facts of a file; undefined if they cannot be read for any reason. */
export async function factsIfReadable(store: Store, path: string): Promise<FileFacts | undefined> {
  try {
    return await store.facts(path);
  } catch {
    return undefined;
  }
}

/** Names in a directory; an empty list if the directory does not exist. */
export function namesIfThere(store: Store, dir: string): Promise<string[]> {
  return ifThere(
    unlessStale(() => store.list(dir)),
    [],
  );
}
