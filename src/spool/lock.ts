import type { CheckOptions, LockOptions } from "proper-lockfile";
import { isErrno, type Store } from "../store/store.js";

/**
 * Lock beside a job (S3, S4), or the lock of the dispatcher; proper-lockfile makes both. A lock keeps two processes apart and
 * shows people which jobs run. No outcome depends on a lock, because only the rename of S6 publishes an outcome. So a wrong lock
 * causes at most a second run.
 */
export interface Lock {
  /** Removes the lock. It is no error if the lock is gone. @returns false if the store failed and the lock still exists */
  release(): Promise<boolean>;
  /** Forgets the lock without removing the lockfile, because the lockfile belongs to another process by now. */
  abandon(): Promise<void>;
}

type Library = typeof import("proper-lockfile");
let loading: Promise<Library> | undefined;

/** Loads proper-lockfile on the first use. Commands that only read a project take no lock, so they need not wait for this. */
export function loadLibrary(): Promise<Library> {
  loading ??= import("proper-lockfile").then((loaded) => loaded.default);
  return loading;
}

type Callback = (error: unknown, value?: unknown) => void;
type Call = (path: string) => Promise<unknown>;

/** Access of proper-lockfile to the store. */
export interface LockPort {
  /**
   * Option `fs` of the library. The library stores the precision of file times on this object, so each kind of lock needs its
   * own.
   */
  readonly fs: object;
  /** Lockfiles that are being abandoned. The library removes each lock that it releases, so `rmdir` skips these. */
  readonly abandoned: Set<string>;
  /** Lockfiles that this process holds, each with the lock that holds it. */
  readonly held: Map<string, symbol>;
}

/**
 * The functions of node:fs that proper-lockfile calls, implemented by the store.
 *
 * @param make creates a lock, or throws EEXIST
 * @param remove removes a lock
 */
export function lockPort(store: Store, make: Call, remove: Call): LockPort {
  const abandoned = new Set<string>();
  const held = new Map<string, symbol>();
  const call =
    (run: (path: string, ...rest: never[]) => Promise<unknown>) =>
    (path: string, ...rest: unknown[]) => {
      const done = rest.pop() as Callback;
      run(path, ...(rest as never[])).then((value) => done(null, value), done);
    };
  const fs = {
    mkdir: call(make),
    rmdir: call(async (path) => (abandoned.has(path) ? undefined : remove(path))),
    utimes: call((path, _atime: Date, mtime: Date) => store.touch(path, mtime.getTime())),
    stat: (path: string, done: Callback) => {
      const lock = held.get(path);
      // If the lock was released meanwhile, the error must be ENOENT. The library throws any other error where no caller can
      // catch it.
      const errorOf = (error: unknown) =>
        held.get(path) === lock ? error : Object.assign(new Error(`released: ${path}`), { code: "ENOENT" });
      Promise.resolve(store.facts(path)).then(
        // The store handles times as floating-point seconds. Rounding gives exactly the milliseconds that the library set.
        ({ mtimeMs }) => done(null, { mtime: new Date(Math.round(mtimeMs)) }),
        (error) => done(errorOf(error)),
      );
    },
    rmdirSync: () => undefined, // called at exit: locks must stay, because S8 checks who holds the locks of a process that ended
  };
  return { fs, abandoned, held };
}

/**
 * Takes a lock without waiting.
 *
 * @param holder id of the owner. The library records locks by this name, so two owners in one process need different names
 * @param onCompromised is called when the lock was removed or taken over while this process held it
 * @returns undefined if another process holds the lock
 */
export async function acquire(
  { fs, abandoned, held }: LockPort,
  lockfilePath: string,
  holder: string,
  { stale, update }: { stale: number; update: number },
  onCompromised: (error: Error) => void,
): Promise<Lock | undefined> {
  let isReleased = false;
  try {
    const releaseIt = await (await loadLibrary()).lock(`${lockfilePath}#${holder}`, {
      realpath: false,
      lockfilePath,
      stale,
      update,
      retries: 0,
      fs,
      onCompromised: (error: Error) => {
        if (!isReleased) onCompromised(error);
      },
    } as LockOptions);
    const mine = Symbol();
    held.set(lockfilePath, mine);
    const release = () => {
      isReleased = true;
      if (held.get(lockfilePath) === mine) held.delete(lockfilePath);
      return releaseIt();
    };
    return {
      release: () =>
        release().then(
          () => true,
          () => false,
        ),
      async abandon() {
        abandoned.add(lockfilePath);
        await release().catch(() => undefined);
        abandoned.delete(lockfilePath);
      },
    };
  } catch (error) {
    if (isErrno(error, "ELOCKED")) return undefined;
    throw error;
  }
}

/** Whether a process holds a lock and refreshes it. */
export async function isLocked({ fs }: LockPort, lockfilePath: string, stale: number): Promise<boolean> {
  const options = { realpath: false, lockfilePath, stale, fs };
  return (await loadLibrary()).check(lockfilePath, options as CheckOptions);
}

/** Removes a lock of either form: a hard link, or a directory of proper-lockfile. */
export async function removeLock(store: Store, path: string): Promise<void> {
  try {
    await store.unlink(path);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return;
    if (!isErrno(error, "EISDIR", "EPERM")) throw error;
    await store.rmdir(path).catch(() => undefined);
  }
}
