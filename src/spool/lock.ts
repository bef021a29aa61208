import type { CheckOptions, LockOptions } from "proper-lockfile";
import { type Layout, lockOf } from "../project/layout.js";
import { isErrno, type Store } from "./store.js";

/**
 * S3, S4: the lockfile beside a job, and the dispatcher's seat, are proper-lockfile's. A lock keeps two
 * parties out of each other's way and shows people what runs; it decides nothing (the rename of S6 does), so a lock
 * that lies costs at most a second run.
 */
export interface Lock {
  /** Gives it back; a lock that is gone already is no error. @returns false: the store has trouble, and it is still there */
  release(): Promise<boolean>;
  /** Forgets it and leaves it where it is: it is another's by now. */
  abandon(): Promise<void>;
}

type Library = typeof import("proper-lockfile");
let loading: Promise<Library> | undefined;

/** Loaded when the first lock is taken: who only looks at a project takes none. */
function library(): Promise<Library> {
  loading ??= import("proper-lockfile").then((loaded) => loaded.default);
  return loading;
}

type Callback = (error: unknown, value?: unknown) => void;
type Call = (path: string) => Promise<unknown>;

interface Port {
  /** One object per kind of lock for its actor: the library remembers the store's time precision on it. */
  readonly fs: object;
  /** Lockfiles that are being abandoned: the library removes what it lets go of, whoever's it has become. */
  readonly abandoned: Set<string>;
  /** Lockfiles that are held, by whichever lock. */
  readonly held: Map<string, symbol>;
}

/** The slice of node:fs that proper-lockfile uses, over the store. */
function lockPort(store: Store, make: Call, remove: Call): Port {
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
    // Times pass through seconds as a float on their way: without rounding the library finds its own mark changed.
    stat: (path: string, done: Callback) => {
      const lock = held.get(path);
      // Of a lock that was let go meanwhile any other error has the library throw, in nobody's call.
      const errorOf = (error: unknown) =>
        held.get(path) === lock ? error : Object.assign(new Error(`let go: ${path}`), { code: "ENOENT" });
      store.facts(path).then(
        ({ mtimeMs }) => done(null, { mtime: new Date(Math.round(mtimeMs)) }),
        (error) => done(errorOf(error)),
      );
    },
    rmdirSync: () => undefined, // at exit: what is held then is left to S8, which asks whose it is
  };
  return { fs, abandoned, held };
}

/**
 * @param holder whose it is. The library remembers the locks of its process by their files: two actors in one process
 * would take each other's for their own.
 */
async function acquire(
  { fs, abandoned, held }: Port,
  lockfilePath: string,
  holder: string,
  { stale, update }: { stale: number; update: number },
  onCompromised: (error: Error) => void,
): Promise<Lock | undefined> {
  let isLetGo = false;
  try {
    const letGo = await (await library()).lock(`${lockfilePath}#${holder}`, {
      realpath: false,
      lockfilePath,
      stale,
      update,
      retries: 0,
      fs,
      onCompromised: (error: Error) => {
        if (!isLetGo) onCompromised(error);
      },
    } as LockOptions);
    const mine = Symbol();
    held.set(lockfilePath, mine);
    const release = () => {
      isLetGo = true;
      if (held.get(lockfilePath) === mine) held.delete(lockfilePath);
      return letGo();
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

/** Long: a job's lock is never taken for stale while its worker is only slow. */
const JOB_LOCK_STALE = 120_000;
const JOB_LOCK_UPDATE = JOB_LOCK_STALE / 4;
/**
 * A dispatcher takes none for stale, by whatever clock: a worker that is alive holds its locks, those of one that is lost
 * go with its desk, and those of other dispatchers it removes when it begins. A year, ms.
 */
const NEVER_STALE = 365 * 24 * 60 * 60 * 1000;
/** For so long, ms, a key that was touched is as good as new. */
const KEY_FRESH = 10_000;

const KEY_LIMIT = 1024;

function keyText(actor: string): string {
  return `${actor}\n`;
}

/** Whatever a lock is: a link, or proper-lockfile's own directory. */
export async function removeLock(store: Store, path: string): Promise<void> {
  try {
    await store.unlink(path);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return;
    if (!isErrno(error, "EISDIR", "EPERM")) throw error;
    await store.rmdir(path).catch(() => undefined);
  }
}

/**
 * Makes the locks of jobs for one process, one at a time. A lock is a hard link to the process's own key: link(2) is as
 * exclusive as proper-lockfile's mkdir(2), but makes no inode. That matters on ext4, which looks at every inode freed in
 * the last seconds before it gives out a new one (fs/ext4/ialloc.c, recently_deleted): a directory made and removed for
 * each job made every file that is created there cost a millisecond. Where there are no hard links, it is the directory.
 */
export class Locksmith {
  readonly #actor: string;
  readonly #key: string;
  readonly #port: Port;
  readonly #store: Store;
  readonly #stale: number;
  #links = true;
  /** Lockfiles that it holds or is about to take. */
  readonly #held = new Set<string>();
  /** Lockfiles that could not be removed. */
  readonly #left = new Set<string>();
  #touched = Number.NEGATIVE_INFINITY;

  private constructor(store: Store, actor: string, key: string, stale: number) {
    this.#stale = stale;
    this.#store = store;
    this.#actor = actor;
    this.#key = key;
    this.#port = lockPort(
      store,
      (path) => this.#make(path),
      (path) => removeLock(store, path),
    );
  }

  /** @param actor whose locks these are: the key's name, and what stands in the lock */
  static async open(store: Store, layout: Layout, actor: string): Promise<Locksmith> {
    const key = layout.key(actor);
    await library(); // now, not amid the first job
    await store.write(key, keyText(actor));
    return new Locksmith(store, actor, key, layout.isDispatcher(actor) ? NEVER_STALE : JOB_LOCK_STALE);
  }

  /**
   * Takes the lock of a job on a desk without waiting; undefined: somebody holds it.
   *
   * @param onCompromised the lock was removed or taken over while it was held
   * @throws ErrnoException ENOENT when the desk is gone
   */
  async lock(jobPath: string, onCompromised: (error: Error) => void): Promise<Lock | undefined> {
    const path = lockOf(jobPath);
    if (this.#held.has(path)) return undefined;
    this.#held.add(path);
    const forget = () => void this.#held.delete(path);
    let lock: Lock | undefined;
    try {
      const times = { stale: this.#stale, update: JOB_LOCK_UPDATE };
      lock = await acquire(this.#port, path, this.#actor, times, (error) => {
        forget();
        onCompromised(error);
      });
    } finally {
      if (lock === undefined) forget();
    }
    const held = lock;
    if (held === undefined) return undefined;
    const release = async () => {
      const isGone = await held.release();
      if (!isGone) this.#left.add(path);
      forget();
      return isGone;
    };
    return { release, abandon: () => held.abandon().finally(forget) };
  }

  /** Removes what the store's trouble has left. It costs nothing where there is nothing. */
  async removeLeft(): Promise<void> {
    for (const path of this.#left) {
      if (!this.#held.has(path) && (await this.#isMine(path))) await removeLock(this.#store, path);
      this.#left.delete(path);
    }
  }

  async close(): Promise<void> {
    await this.#store.unlink(this.#key).catch(() => undefined);
  }

  async #make(path: string): Promise<void> {
    if (!this.#links) return this.#store.mkdir(path);
    // Fresh before it can be seen: its age is the lock's.
    const { clock } = this.#store;
    if (clock.now() - this.#touched > KEY_FRESH) {
      await this.#store.touch(this.#key, clock.wall());
      this.#touched = clock.now();
    }
    try {
      await this.#store.link(this.#key, path);
    } catch (error) {
      // NFS: done, but the reply was lost. It would never get stale, as its age is that of the key.
      if (isErrno(error, "EEXIST") && (await this.#isMine(path))) return;
      if (!isErrno(error, "EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EXDEV")) throw error;
      this.#links = false;
      await this.#store.mkdir(path);
    }
  }

  /** Whether a lock that is not known to be held is a link to this actor's key, in which its name stands. */
  async #isMine(path: string): Promise<boolean> {
    try {
      return (await this.#store.tail(path, KEY_LIMIT)) === keyText(this.#actor);
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENOTDIR", "ESTALE", "EISDIR", "ELOOP")) return false;
      throw error;
    }
  }
}

const SEAT_STALE_BEATS = 5;
const seatPorts = new WeakMap<Store, Port>();

/** Takes the dispatcher's seat without waiting; undefined: it is taken. */
export async function lockSeat(
  store: Store,
  seat: string,
  dispatcher: string,
  beat: number,
  onCompromised: (error: Error) => void,
): Promise<Lock | undefined> {
  try {
    const stale = seatStale(beat);
    return await acquire(seatPort(store), seat, dispatcher, { stale, update: stale / 4 }, onCompromised);
  } catch (error) {
    // Gone as soon as it was made: another took it for that of the dispatcher that died before.
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** After so long, ms, a seat's lock that was not refreshed is stale; proper-lockfile takes nothing under two seconds. */
export function seatStale(beat: number): number {
  return Math.max(2_000, beat * SEAT_STALE_BEATS * 1000);
}

function seatPort(store: Store): Port {
  let port = seatPorts.get(store);
  if (port === undefined) {
    port = lockPort(
      store,
      async (path) => {
        await store.mkdir(path);
        // Else it would begin with the store's time, and look stale at once to all whose clock is ahead of that.
        await store.touch(path, store.clock.wall()).catch(async (error) => {
          if (!isErrno(error, "ENOENT")) await store.rmdir(path);
          throw error;
        });
      },
      (path) => store.rmdir(path),
    );
    seatPorts.set(store, port);
  }
  return port;
}

/** Whether the seat's lock is held and kept fresh: a hint, for people. */
export async function isSeatLocked(store: Store, seat: string, beat: number): Promise<boolean> {
  const options = { realpath: false, lockfilePath: seat, stale: seatStale(beat), fs: seatPort(store).fs };
  return (await library()).check(seat, options as CheckOptions);
}
