import { isDispatcherId } from "../project/entry-names.js";
import { lockOf } from "../project/layout.js";
import type { Site } from "../store/site.js";
import { isErrno, type Store } from "../store/store.js";
import { acquire, type Lock, type LockPort, loadLibrary, lockPort, removeLock } from "./lock.js";

/** Time in ms after which a job's lock is stale. It is long, because a worker may only be slow. */
const JOB_LOCK_STALE = 120_000;
const JOB_LOCK_UPDATE = JOB_LOCK_STALE / 4;
/**
 * Time in ms after which a dispatcher takes a job's lock for stale: a year, which means never. A live worker holds its locks. The
 * locks of a lost worker go with its desk. A dispatcher removes the locks of earlier dispatchers when it starts.
 */
const NEVER_STALE = 365 * 24 * 60 * 60 * 1000;
/** Time in ms for which a key needs no new modification time. */
const KEY_FRESH = 10_000;
/** Time in ms after which proper-lockfile keeps a lock fresh. Most locks of short jobs are gone by then. */
const KEPT_AFTER = 1000;

const KEY_LIMIT = 1024;

/** Errors of link(2) on a file system without hard links, or with too few of them. */
const NO_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EXDEV"];

/** A lock that this process holds or is taking. */
interface Held {
  /** Monotonic time in ms. */
  readonly since: number;
  readonly onCompromised: (error: Error) => void;
  /** The same lock in the hands of proper-lockfile, which keeps it fresh. Undefined for a young lock. */
  kept?: Promise<Lock | undefined>;
  /** Whether the lock is being released. From then on proper-lockfile must not take it over, and so make it again. */
  isOver?: true;
}

function keyText(actor: string): string {
  return `${actor}\n`;
}

/**
 * Makes the locks of jobs for one process. A lock is a hard link to the key, a file of the process: link(2) is as exclusive as
 * the mkdir(2) of proper-lockfile, but creates no inode. On ext4 this saves a millisecond for every file, because ext4 checks all
 * inodes that were freed in the last seconds before it reuses one (fs/ext4/ialloc.c, recently_deleted). On a file system
 * without hard links the lock is a directory.
 *
 * The link alone is the lock. proper-lockfile takes over a lock that is a second old and keeps it fresh, and it decides whether
 * the lock of somebody else is stale. For the lock of a short job it would only cost time.
 */
export class Locksmith {
  readonly #actor: string;
  readonly #key: string;
  readonly #port: LockPort;
  readonly #store: Store;
  readonly #stale: number;
  #links = true;
  /** By lockfile. */
  readonly #held = new Map<string, Held>();
  /**
   * Lockfiles that proper-lockfile is taking over from this process. If an error prevents that, proper-lockfile removes the file,
   * which must stay.
   */
  readonly #takenOver = new Set<string>();
  /** Lockfiles that could not be removed. */
  readonly #left = new Set<string>();
  #touched = Number.NEGATIVE_INFINITY;
  /** Calls off the timer that looks for locks to keep fresh; undefined while there is no timer. */
  #callOff: (() => void) | undefined;

  private constructor(store: Store, actor: string, key: string, stale: number) {
    this.#stale = stale;
    this.#store = store;
    this.#actor = actor;
    this.#key = key;
    this.#port = lockPort(
      store,
      (path) => this.#make(path),
      (path) => (this.#takenOver.has(path) ? Promise.resolve() : removeLock(store, path)),
    );
  }

  /** @param actor id of the worker or dispatcher; it is in the name and the text of the key */
  static async open({ store, layout }: Pick<Site, "store" | "layout">, actor: string): Promise<Locksmith> {
    const key = layout.key(actor);
    await loadLibrary(); // now, so that the first job need not wait for it
    await store.write(key, keyText(actor));
    return new Locksmith(store, actor, key, isDispatcherId(actor) ? NEVER_STALE : JOB_LOCK_STALE);
  }

  /**
   * Takes the lock of a job on a desk without waiting.
   *
   * @param onCompromised called when the lock was removed or taken over while it was held
   * @returns undefined if somebody holds the lock
   * @throws ErrnoException ENOENT if the desk is gone
   */
  async lock(jobPath: string, onCompromised: (error: Error) => void): Promise<Lock | undefined> {
    const path = lockOf(jobPath);
    if (this.#held.has(path)) return undefined;
    const held: Held = { since: this.#store.clock.now(), onCompromised };
    this.#held.set(path, held);
    let isMine = false;
    try {
      isMine = (await this.#link(path)) || (await this.#keep(path, held));
    } finally {
      if (!isMine) this.#held.delete(path);
    }
    if (!isMine) return undefined;
    this.#keepLater();
    return { release: () => this.#release(path, held), abandon: () => this.#abandon(path, held) };
  }

  async #release(path: string, held: Held): Promise<boolean> {
    held.isOver = true;
    const kept = await held.kept?.catch(() => undefined);
    if (this.#held.get(path) !== held) return true; // somebody else holds it by now
    const isGone = await (kept === undefined ? this.#remove(path) : kept.release());
    if (!isGone) this.#left.add(path);
    this.#forget(path, held);
    return isGone;
  }

  async #abandon(path: string, held: Held): Promise<void> {
    held.isOver = true;
    await held.kept?.then((lock) => lock?.abandon()).catch(() => undefined);
    this.#forget(path, held);
  }

  #forget(path: string, held: Held): void {
    if (this.#held.get(path) === held) this.#held.delete(path);
  }

  /** @returns false when the store has trouble, so that the lock is still there */
  #remove(path: string): Promise<boolean> {
    return removeLock(this.#store, path).then(
      () => true,
      () => false,
    );
  }

  /** Lets proper-lockfile take a lock, or take over this process's own. @returns false if somebody else holds the lock */
  async #keep(path: string, held: Held): Promise<boolean> {
    const times = { stale: this.#stale, update: JOB_LOCK_UPDATE };
    held.kept = acquire(this.#port, path, this.#actor, times, (error) => {
      this.#forget(path, held);
      held.onCompromised(error);
    }).finally(() => this.#takenOver.delete(path));
    try {
      return (await held.kept) !== undefined;
    } catch (error) {
      delete held.kept;
      throw error;
    }
  }

  #keepLater(): void {
    const { clock } = this.#store;
    this.#callOff ??= clock.after(KEPT_AFTER, () => {
      this.#callOff = undefined;
      for (const [path, held] of this.#held) {
        const isYoung = clock.now() - held.since < KEPT_AFTER;
        if (!isYoung && held.kept === undefined && !held.isOver) void this.#takeOver(path, held);
      }
      if (this.#held.size > 0) this.#keepLater();
    });
  }

  async #takeOver(path: string, held: Held): Promise<void> {
    this.#takenOver.add(path);
    try {
      if (await this.#keep(path, held)) return;
    } catch (error) {
      if (!isErrno(error, "ENOENT", "ENOTDIR")) return; // the store has trouble: the next look tries again
    }
    this.#forget(path, held);
    held.onCompromised(new Error(`somebody else has ${path}`));
  }

  /** Removes the locks that `release` could not remove because the store had trouble. If there are none, this makes no call. */
  async removeLeft(): Promise<void> {
    for (const path of this.#left) {
      if (!this.#held.has(path) && (await this.#isMine(path))) await removeLock(this.#store, path);
      this.#left.delete(path);
    }
  }

  async close(): Promise<void> {
    this.#callOff?.();
    await this.#store.unlink(this.#key).catch(() => undefined);
  }

  /** @returns false if there is a lock already, or if this file system has no hard links */
  async #link(path: string): Promise<boolean> {
    if (!this.#links) return false;
    if (this.#isKeyOld) await this.#freshenKey();
    try {
      await this.#store.link(this.#key, path);
      return true;
    } catch (error) {
      if (isErrno(error, "EEXIST")) return false;
      if (!isErrno(error, ...NO_LINKS)) throw error;
      this.#links = false;
      return false;
    }
  }

  /** Makes a lock for proper-lockfile. */
  async #make(path: string): Promise<void> {
    if (!this.#links) return this.#store.mkdir(path);
    if (this.#isKeyOld) await this.#freshenKey();
    try {
      await this.#store.link(this.#key, path);
    } catch (error) {
      // The lock may be this process's own, which proper-lockfile takes over. Or NFS made the link and lost the reply.
      if (isErrno(error, "EEXIST") && (await this.#isMine(path))) return;
      throw error;
    }
  }

  get #isKeyOld(): boolean {
    return this.#store.clock.now() - this.#touched > KEY_FRESH;
  }

  /** The lock has the age of the key, so the key is touched before others can see the lock. */
  async #freshenKey(): Promise<void> {
    const { clock } = this.#store;
    await this.#store.touch(this.#key, clock.wall());
    this.#touched = clock.now();
  }

  /** Whether a lockfile is a link to the key of this process. */
  async #isMine(path: string): Promise<boolean> {
    try {
      return (await this.#store.tail(path, KEY_LIMIT)) === keyText(this.#actor);
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENOTDIR", "ESTALE", "EISDIR", "ELOOP")) return false;
      throw error;
    }
  }
}
