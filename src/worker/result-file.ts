import fs from "node:fs";
import path from "node:path";
import { makeDirectory } from "../project/make-directory.js";
import { ownUid } from "../project/trust.js";

/** Longest chain of symbolic links, as in Linux (path_resolution(7)). */
const LINKS = 40;
/** Bytes that are copied at once. */
const CHUNK = 1 << 20;

/**
 * The job's `logfile`, which holds its results. The worker makes its directory before the run. After the run the worker copies
 * the job's output there, unless the job has written the file itself.
 */
export class ResultFile {
  readonly path: string;
  readonly #before: fs.Stats | undefined;

  private constructor(file: string, before: fs.Stats | undefined) {
    this.path = file;
    this.#before = before;
  }

  /** @throws Error with a message for the job's log when there can be no such file */
  static prepare(file: string): ResultFile {
    try {
      const before = fs.statSync(file, { throwIfNoEntry: false });
      if (before?.isDirectory()) throw new Error("it is a directory");
      if (before === undefined) makeDirectory(path.dirname(file));
      return new ResultFile(file, before);
    } catch (error) {
      throw new Error(`fjord: the logfile ${file} cannot be written: ${(error as Error).message}`);
    }
  }

  /** @throws Error with a message for the job's log when the output cannot be copied */
  complete(attemptLog: string): void {
    try {
      const after = fs.statSync(this.path, { throwIfNoEntry: false });
      if (after !== undefined && !after.isFile()) return;
      if (after !== undefined && !isSame(after, this.#before)) return;
      copy(attemptLog, this.path);
    } catch (error) {
      throw new Error(`fjord: the logfile ${this.path} was not written: ${(error as Error).message}`);
    }
  }
}

function isSame(after: fs.Stats, before: fs.Stats | undefined): boolean {
  return before?.mtimeMs === after.mtimeMs && before.size === after.size && before.ino === after.ino;
}

/** Copies a file's content. A new file gets its mode from the user's umask, not from the log. */
function copy(from: string, to: string): void {
  const source = fs.openSync(from, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    const target = openFollowingOwn(to);
    try {
      fs.ftruncateSync(target);
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK, fs.fstatSync(source).size + 1));
      for (let n = fs.readSync(source, buffer); n > 0; n = fs.readSync(source, buffer)) {
        for (let done = 0; done < n; ) done += fs.writeSync(target, buffer, done, n - done);
      }
    } finally {
      fs.closeSync(target);
    }
  } finally {
    fs.closeSync(source);
  }
}

/**
 * Opens a file for writing. It follows symbolic links that belong to this user or to root. It follows no other links, because
 * another user could make a link to any file of this user.
 */
function openFollowingOwn(file: string): number {
  const { O_WRONLY, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  let target = file;
  for (let n = 0; ; n++) {
    try {
      return fs.openSync(target, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o666);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ELOOP" || n >= LINKS) throw error;
    }
    const link = readOwnLink(target);
    // The path is not normalised: after a directory that is a link, `..` is not the directory that the text suggests.
    target = path.isAbsolute(link) ? link : `${fs.realpathSync(path.dirname(target))}/${link}`;
  }
}

function readOwnLink(link: string): string {
  const before = fs.lstatSync(link);
  if (!isOwn(link, before)) {
    throw new Error(`${link} is a symbolic link of another user (uid ${before.uid}), which is not followed`);
  }
  const target = fs.readlinkSync(link);
  const after = fs.lstatSync(link);
  // The target of a link never changes, but another link may have replaced this one.
  if (before.ino !== after.ino || before.ctimeMs !== after.ctimeMs) {
    throw new Error(`${link} has been replaced while it was read`);
  }
  return target;
}

function isOwn(link: string, { uid }: fs.Stats): boolean {
  const own = ownUid();
  if (own === undefined || uid === own || uid === 0) return true;
  // A store that maps users reports another owner for this user's files. Then the directory of the link has the same owner, only
  // this owner can write to the directory, and this process can write to it, too.
  const directory = path.dirname(link);
  const { uid: owner, mode } = fs.statSync(directory);
  return own !== 0 && uid === owner && (mode & 0o022) === 0 && canWrite(directory);
}

function canWrite(directory: string): boolean {
  try {
    fs.accessSync(directory, fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
