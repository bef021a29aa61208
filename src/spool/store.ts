import type { Clock } from "./clock.js";
import { errnoOf, isUnnamed } from "./errno.js";

/** So many names of a directory are too many at once: of a million they take 100 MB, and more until they are collected. */
export const LONG = 200_000;
/** Names in a piece of a long listing: some 40 ms. */
export const PIECE = 20_000;

/** What a read tells about a file besides its bytes. Times in ms since 1970, by the store's clock. */
export interface FileFacts {
  /** 0 where it is not known: some file systems invent one for each client. */
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly kind: "file" | "directory" | "symlink" | "other";
}

/** An open append-only file. `append` is one write(2), unless that takes a part; it throws when not all bytes were taken. */
export interface Appender {
  append(text: string): Promise<void>;
  /** To the disk or the server (fsync). */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** A directory that is being watched. */
export interface Watching {
  /** Comes back when it is watched, or cannot be. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/** @param ring told when something may have changed in the directory; the entry's name, where that is known */
export type Watch = (dir: string, ring: (entry: string | undefined) => void) => Watching;

/**
 * The file system as the protocol uses it: every call of S1–S10 goes through here, so that a network file
 * system's stalls do not block the event loop, and a test can stand in for the disk.
 *
 * Contract: each method is one system call or a short fixed series (named in its line), throws Node's
 * `ErrnoException`s untouched, retries nothing. What it makes has the modes of the project's access (`access.ts`): of a
 * `mode` that is given, only the owner's bits in a private project, the group's like the owner's in a shared one. Nothing
 * is written through a symlink (ELOOP).
 */
export interface Store {
  /** Whether other hosts see this file system too; then no watch event comes from them and caches lie. */
  readonly kind: "local" | "network";
  /** Whether watch events come from it. */
  readonly rings: boolean;
  /** What tells of changes in its directories; the system's watch events if not said. */
  readonly watch?: Watch;
  /** The time by which its calls are made. */
  readonly clock: Clock;
  /** Names, in the file system's order. */
  list(dir: string): Promise<string[]>;
  /** As `list`, some names at a time: slower, for directories of more than `long` names, which are too many at once. */
  pieces(dir: string): AsyncGenerator<string[], void>;
  readonly long: number;
  /** open, fstat, read, close; never follows a symlink (ELOOP) and never hangs on a FIFO. At most `limit` bytes. */
  read(path: string, limit: number): Promise<{ bytes: Buffer; facts: FileFacts }>;
  facts(path: string): Promise<FileFacts>;
  /** lstat: whether there is such a name. Much cheaper than `facts` where there is none. */
  has(path: string): Promise<boolean>;
  /** open, fstat, read, close: the last `limit` bytes of a file, as UTF-8. */
  tail(path: string, limit: number): Promise<string>;
  /** open, read, close: at most `limit` bytes from an offset on; none where the file ends before it. */
  readFrom(path: string, offset: number, limit: number): Promise<Buffer>;
  /** open O_EXCL, write, (fsync,) close; EEXIST when there. Nothing half-written is left behind on an error. */
  create(path: string, content: string | Uint8Array, flush: boolean, mode?: number): Promise<void>;
  /** Writes over an existing file without making it longer or shorter: works on a full disk. */
  overwrite(path: string, text: string): Promise<void>;
  /** open, write, truncate, close: for what nobody decides by; a reader may meet half of it. */
  write(path: string, text: string): Promise<void>;
  appender(path: string): Promise<Appender>;
  /** A second name for a file; EEXIST when there. */
  link(existing: string, path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  mkdir(path: string, recursive?: boolean): Promise<void>;
  rmdir(path: string): Promise<void>;
  /** rm -rf: a file, or a directory with all that is in it, one call after the other; nothing when there is none. */
  removeTree(path: string): Promise<void>;
  /** Sets the modification time, ms since 1970. */
  touch(path: string, mtimeMs: number): Promise<void>;
  /** fsync of a directory: makes the names in it durable. */
  flushDirectory(path: string): Promise<void>;
}

/** Whether an error is one of these errno names. */
export function isErrno(error: unknown, ...codes: string[]): boolean {
  return codes.includes(errnoOf(error));
}

/** An error of a system call, as against a bug or a refusal of fjord's own. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  const name = errnoOf(error);
  return /^E[A-Z0-9]+$/.test(name) || isUnnamed(name);
}

/** This user may not. */
export function isDenied(error: unknown): boolean {
  return isErrno(error, "EACCES", "EPERM");
}

/** The store has no room. */
export function isFull(error: unknown): boolean {
  return isErrno(error, "ENOSPC", "EDQUOT");
}

/**
 * The store's own trouble: a condition that passes or that somebody mends, nobody's fault here, and no reason to lose
 * anything. What is under way waits and tries again.
 */
export function isTrouble(error: unknown): boolean {
  return (
    isFull(error) ||
    isUnnamed(errnoOf(error)) ||
    isErrno(
      error,
      "EIO",
      "EROFS",
      "ESTALE",
      "EAGAIN",
      "EBUSY",
      "EINTR",
      "ETIMEDOUT",
      "EMFILE",
      "ENFILE",
      "ENOMEM",
    ) ||
    isErrno(error, "EACCES", "EPERM", "EHOSTDOWN", "ENOTCONN", "ECONNRESET", "ENOLCK")
  );
}
