import crypto from "node:crypto";
import { dirname } from "node:path";
import { entryIn } from "../project/layout.js";
import { ifThere, namesIfThere } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import { isErrno, type Store } from "../store/store.js";

/*
 * Single steps of S11. Several processes may carry out the same step at the same time, and one of them may have finished it
 * before, so none of these results is an error.
 */

/** Renames a file or directory. @returns false if there is nothing at `from`, or if something is at `to` */
export async function moved(store: Store, from: string, to: string): Promise<boolean> {
  try {
    await store.rename(from, to);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ENOTEMPTY", "EEXIST")) return false;
    throw error;
  }
}

/** Makes a directory, unless another process has made it. @returns false if its parent directory is gone */
export async function made(store: Store, dir: string): Promise<boolean> {
  try {
    await store.mkdir(dir);
    return true;
  } catch (error) {
    if (isErrno(error, "EEXIST")) return true;
    if (isErrno(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}

/** Removes an empty directory. @returns false if it is not empty */
export async function removeEmpty(store: Store, dir: string): Promise<boolean> {
  try {
    await store.rmdir(dir);
  } catch (error) {
    if (isErrno(error, "ENOTEMPTY", "EEXIST")) return false;
    if (!isErrno(error, "ENOENT")) throw error;
  }
  return true;
}

/** Removes a file, or a directory with its content. */
export async function removeTree(store: Store, entry: string): Promise<void> {
  try {
    await ifThere(store.unlink(entry));
  } catch (error) {
    if (!isErrno(error, "EISDIR", "EPERM")) throw error;
    for (const name of await namesIfThere(store, entry)) await removeTree(store, entryIn(entry, name));
    await removeEmpty(store, entry);
  }
}

/**
 * Removes the rest of a part that was taken apart, and the pieces of the processes that lost the race. No valid piece is lost,
 * because rmdir(2) removes only an empty directory.
 *
 * @param entry path of the pieces below the directory of the array
 */
export async function removeTakenApart({ store, layout }: Site, name: string, entry: string): Promise<void> {
  if (!(await removeEmpty(store, layout.inArray(name, entry)))) return;
  const part = layout.inArray(name, dirname(entry));
  const pieces = entry.slice(dirname(entry).length + 1);
  // The directory of the pieces may exist again: `removeArray` renames the whole array for a moment, and rmdir(2) finds nothing
  // then.
  for (const other of await namesIfThere(store, part)) {
    if (other !== pieces) await removeTree(store, entryIn(part, other));
  }
  await removeEmpty(store, part);
}

/** Makes a new id. The id is short, because it becomes part of a name that may already be long. */
export function newId(): string {
  return crypto.randomBytes(5).readUIntBE(0, 5).toString(36).padStart(8, "0");
}
