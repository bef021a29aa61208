import type { Clock } from "./clock.js";
import { errnoOf, isNamed, isUnnamed } from "./errno.js";

/**
 * Largest number of names that `list` should return at once. A million names need 100 MB of memory, and more until the next
 * garbage collection.
 */
export const LONG = 200_000;
/** Number of directory entries that one call reads. */
export const AT_ONCE = 1024;
/** Number of names in one piece of a long listing. Reading a piece takes about 40 ms. */
export const PIECE = 20_000;

/** Properties of a file. Times are in ms since 1970, by the store's clock. */
export interface FileFacts {
  /** Inode number; 0 if unknown, because some file systems invent a number for each client. */
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  /** Time when the file was created; 0 if the file system does not record it. */
  readonly bornMs: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly kind: "file" | "directory" | "symlink" | "other";
}

/** The first bytes of a file, and its properties when it was read. */
export interface FileReading {
  readonly bytes: Buffer;
  readonly facts: FileFacts;
}

/**
 * Result of a call: the value itself if it is known at once, or else a promise. An error always comes as a rejected promise. So
 * `await` and the functions of `file-facts.ts` take both forms, and a caller that makes a call for each job waits only for a promise.
 */
export type Soon<T> = T | Promise<T>;

/**
 * Open append-only file. `append` makes one write(2), and further ones only if the first writes a part of the bytes. `append`
 * throws unless all bytes are written.
 */
export interface Appender {
  append(text: string): Promise<void>;
  /** Forces the data to the disk or the server (fsync). */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** A directory that is being watched. */
export interface Watching {
  /** Resolves when the system has begun to report events, or cannot watch the directory. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/** @param ring is called when the directory may have changed, with the name of the entry if the system reports it */
export type Watch = (dir: string, ring: (entry: string | undefined) => void) => Watching;

/**
 * File system as the protocol uses it. Every call of S1–S10 goes through this port, so a network file system that stalls does not
 * block the event loop, and a test can replace the disk.
 *
 * Contract: each method makes one system call, or the short series of calls that its comment names. A method never retries a
 * call, and throws the `ErrnoException` of Node unchanged. New files have the modes of the project's access
 * (`project/access.ts`): a private project keeps only the owner's bits of `mode`, and a shared one gives the group the bits of
 * the owner. No method writes through a symbolic link (ELOOP).
 */
export interface Store {
  /** `network`: other hosts use this file system, too. No watch event reports their changes, and caches may be stale. */
  readonly kind: "local" | "network";
  /** Whether watch events report changes. */
  readonly rings: boolean;
  /** Watches a directory; by default the events of the system are used. */
  readonly watch?: Watch;
  /** Clock of everything that uses this store. */
  readonly clock: Clock;
  /** Lists the names in a directory, in the order of the file system. */
  list(dir: string): Promise<string[]>;
  /** Lists in pieces. This is slower than `list`, and meant for directories of more than `long` names. */
  pieces(dir: string): AsyncGenerator<string[], void>;
  readonly long: number;
  /**
   * open, fstat, read, close: reads at most `limit` bytes. The call follows no symbolic link (ELOOP) and never waits for a FIFO.
   */
  read(path: string, limit: number): Soon<FileReading>;
  facts(path: string): Soon<FileFacts>;
  /** lstat: whether the name exists. If it does not, this is much cheaper than `facts`. */
  has(path: string): Promise<boolean>;
  /** open, fstat, read, close: reads the last `limit` bytes of a file, as UTF-8. */
  tail(path: string, limit: number): Promise<string>;
  /** open, read, close: reads at most `limit` bytes from an offset on; none if the file ends before the offset. */
  readFrom(path: string, offset: number, limit: number): Promise<Buffer>;
  /**
   * open with O_EXCL, write, fsync if `flush` is set, close. EEXIST if the name exists. After an error, no half-written file
   * stays.
   */
  create(path: string, content: string | Uint8Array, flush: boolean, mode?: number): Promise<void>;
  /** Overwrites an existing file and keeps its length, which works on a full disk. */
  overwrite(path: string, text: string): Promise<void>;
  /** open, write, truncate, close. A reader may see half of the text, so no decision may depend on such a file. */
  write(path: string, text: string): Promise<void>;
  appender(path: string): Promise<Appender>;
  /** Gives a file a second name; EEXIST if that name exists. */
  link(existing: string, path: string): Promise<void>;
  rename(from: string, to: string): Soon<void>;
  unlink(path: string): Promise<void>;
  mkdir(path: string, recursive?: boolean): Promise<void>;
  rmdir(path: string): Promise<void>;
  /** rm -rf: removes a file, or a directory with its content, by many calls. A path that does not exist is not an error. */
  removeTree(path: string): Promise<void>;
  /** Sets the modification time, in ms since 1970. */
  touch(path: string, mtimeMs: number): Promise<void>;
  /** Calls fsync for a directory, which makes its names durable. */
  flushDirectory(path: string): Promise<void>;
}

/** Whether an error has one of these names of errno(3). */
export function isErrno(error: unknown, ...codes: string[]): boolean {
  return codes.includes(errnoOf(error));
}

/** Whether an error comes from a system call, and is neither a bug nor a refusal of fjord. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return isNamed(error) || isUnnamed(error);
}

/** Whether this user has no permission. */
export function isDenied(error: unknown): boolean {
  return isErrno(error, "EACCES", "EPERM");
}

/** Whether the disk or the quota is full. */
export function isFull(error: unknown): boolean {
  return isErrno(error, "ENOSPC", "EDQUOT");
}

/**
 * Whether an error of the store may pass by itself or can be repaired by a person. Such an error is not a bug. The caller waits
 * and tries again, so that no job or outcome is lost.
 */
export function isTrouble(error: unknown): boolean {
  return (
    isFull(error) ||
    isUnnamed(error) ||
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
