import { formatIni, parseIni } from "../job/ini-dialect.js";
import { dispatcherOfTemporary } from "../project/entry-names.js";
import { LONGEST_TIMER } from "../store/clock.js";
import { ifThere, unlessStale } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import { isErrno, type Store } from "../store/store.js";
import { hostName, identify, livenessOf, type ProcessIdentity } from "./identity.js";
import { acquire, isLocked, type Lock, type LockPort, lockPort } from "./lock.js";

/** Content of `dispatcher.ini`: the process that dispatches. */
export interface DispatcherFile {
  readonly dispatcher: string;
  readonly host: string;
  readonly process: ProcessIdentity;
  readonly since: string;
}

/**
 * Lock of the dispatcher, which normally admits one dispatcher at a time. For a moment two may hold it, and the protocol stays
 * correct.
 */
export interface DispatcherLock {
  /** Whether this dispatcher still has the lock: its id is in `dispatcher.ini`. */
  isMine(): Promise<boolean>;
  /** Removes the lock and `dispatcher.ini`, unless another dispatcher has taken the lock. */
  leave(): Promise<void>;
}

/** Number of heartbeats after which a lock that nobody refreshes is stale. */
const STALE_BEATS = 5;
const ports = new WeakMap<Store, LockPort>();

/**
 * Time in ms after which a lock that nobody refreshes is stale. proper-lockfile accepts no time under two seconds.
 *
 * @param beat setting `beat`, in seconds
 */
function staleAfter(beat: number): number {
  return Math.max(2_000, beat * STALE_BEATS * 1000);
}

function portOf(store: Store): LockPort {
  let port = ports.get(store);
  if (port === undefined) {
    port = lockPort(
      store,
      async (path) => {
        await store.mkdir(path);
        // The store's clock sets the time of a new directory. A host whose clock is ahead of the store's clock would see a stale
        // lock.
        await store.touch(path, store.clock.wall()).catch(async (error) => {
          if (!isErrno(error, "ENOENT")) await store.rmdir(path);
          throw error;
        });
      },
      (path) => store.rmdir(path),
    );
    ports.set(store, port);
  }
  return port;
}

/**
 * Takes the lockfile of the dispatcher without waiting.
 *
 * @param onCompromised is called when the lockfile was removed or taken over while this process held it
 * @returns undefined if another process holds the lockfile
 */
export async function acquireDispatcherLock(
  store: Store,
  lockfile: string,
  dispatcher: string,
  beat: number,
  onCompromised: (error: Error) => void,
): Promise<Lock | undefined> {
  const stale = staleAfter(beat);
  const times = { stale, update: Math.min(stale / 4, LONGEST_TIMER) }; // the library sets a timer for this time
  // ENOENT: another dispatcher has removed the new lockfile, because it assumed that the file belongs to a dead dispatcher.
  return ifThere(acquire(portOf(store), lockfile, dispatcher, times, onCompromised));
}

/** Reads `dispatcher.ini`; undefined if nobody dispatches. */
export async function readDispatcherFile({ store, layout }: Site): Promise<DispatcherFile | undefined> {
  const read = await ifThere(unlessStale(() => store.read(layout.dispatcherFile, 64 * 1024)));
  const parsed = read && parseIni(read.bytes);
  const d = parsed?.ok ? parsed.sections.get("dispatcher") : undefined;
  if (d === undefined) return undefined;
  return {
    dispatcher: d.get("id") ?? "",
    host: d.get("host") ?? "",
    process: { pid: Number(d.get("pid")), start: d.get("start") ?? "", space: d.get("space") ?? "" },
    since: d.get("since") ?? "",
  };
}

/** Whether the dispatcher named in `dispatcher.ini` runs, as far as this host can tell. */
export async function isDispatching(site: Site, beat: number): Promise<boolean> {
  const { store, layout } = site;
  const holder = await readDispatcherFile(site);
  if (holder === undefined) return false;
  const liveness = livenessOf(holder.process);
  if (liveness !== "unknown") return liveness === "alive";
  return isLocked(portOf(store), layout.dispatcherLock, staleAfter(beat));
}

/**
 * Watches whether a dispatcher refreshes its lock. The watch measures by its own monotonic clock, because the age of the lock
 * would compare the wall clocks of two hosts. If the holder's clock was a day ahead, its lock would look fresh for a day after
 * its death.
 */
export class LockWatch {
  #mtimeMs = Number.NaN;
  #since = 0;

  /** Whether this watch has seen no refresh for more than `ms`. */
  async isStillFor({ store, layout }: Site, ms: number): Promise<boolean> {
    const { mtimeMs } = await store.facts(layout.dispatcherLock);
    if (mtimeMs !== this.#mtimeMs) {
      this.#mtimeMs = mtimeMs;
      this.#since = store.clock.now();
    }
    return store.clock.now() - this.#since > ms;
  }
}

/** Removes the temporary files of dispatchers that were killed while they took the lock. */
async function removeTemporaries({ store, layout }: Site): Promise<void> {
  for (const entry of await store.list(layout.root)) {
    const dispatcher = dispatcherOfTemporary(entry);
    if (dispatcher === undefined) continue;
    await store.unlink(layout.dispatcherTemporary(dispatcher)).catch(() => undefined);
  }
}

function hasStopped(site: Site, beat: number, watch: LockWatch): Promise<boolean> {
  return ifThere(
    unlessStale(() => watch.isStillFor(site, 2 * staleAfter(beat))),
    false,
  );
}

/**
 * Takes the lock of the dispatcher without waiting. If the holder is a dead process of this host, this call removes its lock at
 * once. Any other lock is removed when its holder has not refreshed it for twice the stale time.
 *
 * @param watch observations of earlier calls
 * @param onLost is called when another dispatcher took the lock, so that this dispatcher must stop
 * @returns undefined if another dispatcher has the lock
 */
export async function takeDispatcherLock(
  site: Site,
  dispatcher: string,
  beat: number,
  onLost: () => void,
  watch = new LockWatch(),
): Promise<DispatcherLock | undefined> {
  const { store, layout } = site;
  const take = () => acquireDispatcherLock(store, layout.dispatcherLock, dispatcher, beat, onLost);
  let lock = await take();
  if (lock === undefined) {
    const holder = await readDispatcherFile(site);
    const isDead = holder !== undefined && livenessOf(holder.process) === "dead";
    // `dispatcher.ini` may name an earlier dispatcher, because the holder may have been killed before it wrote the file.
    if (!isDead && !(await hasStopped(site, beat, watch))) return undefined;
    await store.rmdir(layout.dispatcherLock).catch(() => undefined);
    lock = await take();
    if (lock === undefined) return undefined;
  }
  const held = lock;
  try {
    await writeDispatcherFile(site, dispatcher);
  } catch (error) {
    await (isErrno(error, "ENOENT") ? held.abandon() : held.release());
    if (isErrno(error, "ENOENT")) return undefined; // another dispatcher took the lock and removed the temporary file
    throw error;
  }
  const isMine = async () => (await readDispatcherFile(site))?.dispatcher === dispatcher;
  return {
    isMine,
    async leave() {
      // The lock of another dispatcher must stay. If `dispatcher.ini` cannot be read, the lock stays as well and becomes stale.
      if (!(await isMine().catch(() => false))) return held.abandon();
      await store.unlink(layout.dispatcherFile).catch(() => undefined);
      await held.release();
    },
  };
}

async function writeDispatcherFile(site: Site, dispatcher: string): Promise<void> {
  const { store, layout } = site;
  const me = identify();
  const temporary = layout.dispatcherTemporary(dispatcher);
  const text = formatIni({
    dispatcher: {
      id: dispatcher,
      host: hostName(),
      pid: String(me.pid),
      start: me.start,
      space: me.space,
      since: new Date(store.clock.wall()).toISOString(),
    },
  });
  await removeTemporaries(site);
  await store.create(temporary, text, false);
  await store.rename(temporary, layout.dispatcherFile);
}
