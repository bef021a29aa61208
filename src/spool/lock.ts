import type fs from "node:fs";
import lockfile from "proper-lockfile";
import { lockOf } from "../project/layout.js";
import type { Store } from "./store.js";

/**
 * S3, S4: the lockfile beside a job, and the dispatcher's seat, are proper-lockfile's. A lock keeps two
 * parties out of each other's way and shows people what runs; it decides nothing (the rename of S6 does), so a lock
 * that lies costs at most a second run.
 */
export interface Lock {
  /** Gives it back; a lock that is gone already is no error. */
  release(): Promise<void>;
}

type Callback = (error: unknown, value?: unknown) => void;

/**
 * The slice of node:fs that proper-lockfile uses, over the store. One object per store for the whole process:
 * the library remembers the store's time precision on it.
 */
function lockFs(store: Store): object {
  const call =
    (run: (path: string, ...rest: never[]) => Promise<unknown>) =>
    (path: string, ...rest: unknown[]) => {
      const done = rest.pop() as Callback;
      run(path, ...(rest as never[])).then((value) => done(null, value), done);
    };
  return {
    mkdir: call((path) => store.mkdir(path)),
    rmdir: call((path) => store.rmdir(path)),
    utimes: call((path, _atime: Date, mtime: Date) => store.touch(path, mtime.getTime())),
    // Times pass through seconds as a float on their way: without rounding the library finds its own mark changed.
    stat: call(async (path) => ({ mtime: new Date(Math.round((await store.facts(path)).mtimeMs)) }) as Partial<fs.Stats>),
    rmdirSync: () => undefined, // at exit: what is held then is left to S8, which asks whose it is
  };
}

const lockFsOf = new WeakMap<Store, object>();

async function acquire(
  store: Store,
  file: string,
  lockfilePath: string,
  stale: number,
  onCompromised: (error: Error) => void,
): Promise<Lock | undefined> {
  let port = lockFsOf.get(store);
  if (port === undefined) {
    port = lockFs(store);
    lockFsOf.set(store, port);
  }
  try {
    const release = await lockfile.lock(file, {
      realpath: false,
      lockfilePath,
      stale,
      update: stale / 4,
      retries: 0,
      fs: port,
      onCompromised,
    } as lockfile.LockOptions);
    return { release: () => release().catch(() => undefined) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ELOCKED") return undefined;
    throw error;
  }
}

/** Long: a job's lock is never taken for stale while its worker is only slow. */
const JOB_LOCK_STALE = 120_000;
const SEAT_STALE_BEATS = 5;

/**
 * Takes the lock of a job on a desk without waiting; undefined: somebody holds it.
 *
 * @param onCompromised the lock was removed or taken over while it was held
 * @throws ErrnoException ENOENT when the desk is gone
 */
export function lockJob(
  store: Store,
  jobPath: string,
  onCompromised: (error: Error) => void,
): Promise<Lock | undefined> {
  return acquire(store, jobPath, lockOf(jobPath), JOB_LOCK_STALE, onCompromised);
}

/** Takes the dispatcher's seat without waiting; undefined: it is taken. */
export function lockSeat(
  store: Store,
  seat: string,
  beat: number,
  onCompromised: (error: Error) => void,
): Promise<Lock | undefined> {
  return acquire(store, seat, seat, Math.max(2_000, beat * SEAT_STALE_BEATS * 1000), onCompromised);
}
