import { formatIni, parseIni } from "../job/ini-dialect.js";
import type { Layout } from "../project/layout.js";
import { unlessStale } from "./file-facts.js";
import { hostName, identify, livenessOf, type ProcessIdentity } from "./identity.js";
import { isSeatLocked, type Lock, lockSeat, seatStale } from "./lock.js";
import { isErrno, type Store } from "./store.js";

/** Who dispatches, from `dispatcher.ini`. */
export interface Dispatching {
  readonly dispatcher: string;
  readonly host: string;
  readonly process: ProcessIdentity;
  readonly since: string;
}

/** The dispatcher's seat: one at a time, as far as a lock can promise it; the protocol bears two. */
export interface Seat {
  /** Whether it is still one's own: the last who wrote `dispatcher.ini` has it. */
  isMine(): Promise<boolean>;
  leave(): Promise<void>;
}

export async function readDispatching(store: Store, layout: Layout): Promise<Dispatching | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = (await unlessStale(() => store.read(layout.dispatcherFile, 64 * 1024))).bytes;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
  const parsed = parseIni(bytes);
  const d = parsed.ok ? parsed.sections.get("dispatcher") : undefined;
  if (d === undefined) return undefined;
  return {
    dispatcher: d.get("id") ?? "",
    host: d.get("host") ?? "",
    process: { pid: Number(d.get("pid")), start: d.get("start") ?? "", space: d.get("space") ?? "" },
    since: d.get("since") ?? "",
  };
}

/** Whether the dispatcher that wrote the file is there, as far as this host can tell. */
export async function isSeatHeld(store: Store, layout: Layout, beat: number): Promise<boolean> {
  const holder = await readDispatching(store, layout);
  if (holder === undefined) return false;
  const liveness = livenessOf(holder.process);
  if (liveness !== "unknown") return liveness === "alive";
  return isSeatLocked(store, layout.seat, beat);
}

/**
 * Sees, by its own monotonic clock, whether a seat's lock is still being refreshed. Its age by the wall clocks of two hosts
 * does not tell that: a lock that was made by a clock that is a day ahead would be fresh for a day after its holder's death.
 */
export class SeatWatch {
  #mtimeMs = Number.NaN;
  #since = 0;

  /** Whether it has stood still for so long, ms, as far as has been seen. */
  async isStillFor(store: Store, layout: Layout, ms: number): Promise<boolean> {
    const { mtimeMs } = await store.facts(layout.seat);
    if (mtimeMs !== this.#mtimeMs) {
      this.#mtimeMs = mtimeMs;
      this.#since = store.clock.now();
    }
    return store.clock.now() - this.#since > ms;
  }
}

/** What dispatchers that were killed while they sat down have left. */
async function removeTemporaries(store: Store, layout: Layout): Promise<void> {
  for (const entry of await store.list(layout.root)) {
    const dispatcher = layout.dispatcherOfTemporary(entry);
    if (dispatcher === undefined) continue;
    await store.unlink(layout.dispatcherTemporary(dispatcher)).catch(() => undefined);
  }
}

async function hasStopped(store: Store, layout: Layout, beat: number, watch: SeatWatch): Promise<boolean> {
  try {
    return await unlessStale(() => watch.isStillFor(store, layout, 2 * seatStale(beat)));
  } catch (error) {
    if (isErrno(error, "ENOENT")) return false;
    throw error;
  }
}

/**
 * Takes the seat without waiting; undefined: somebody else has it. A holder of this host whose process is gone is
 * not waited for: its lock is removed at once. Any other is, when nobody has refreshed it for twice the time after
 * which it is stale.
 *
 * @param watch what was seen of the lock at the tries before
 * @param onLost the seat was taken away: stop dispatching
 */
export async function takeSeat(
  store: Store,
  layout: Layout,
  dispatcher: string,
  beat: number,
  onLost: () => void,
  watch = new SeatWatch(),
): Promise<Seat | undefined> {
  let lock: Lock | undefined = await lockSeat(store, layout.seat, dispatcher, beat, onLost);
  if (lock === undefined) {
    const holder = await readDispatching(store, layout);
    const isDead = holder !== undefined && livenessOf(holder.process) === "dead";
    // Not only another host's: who was killed between the lock and the file has left the name of the one before him.
    if (!isDead && !(await hasStopped(store, layout, beat, watch))) return undefined;
    await store.rmdir(layout.seat).catch(() => undefined);
    lock = await lockSeat(store, layout.seat, dispatcher, beat, onLost);
    if (lock === undefined) return undefined;
  }
  const held = lock;
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
  try {
    await removeTemporaries(store, layout);
    await store.create(temporary, text, false);
    await store.rename(temporary, layout.dispatcherFile);
  } catch (error) {
    await (isErrno(error, "ENOENT") ? held.abandon() : held.release());
    if (isErrno(error, "ENOENT")) return undefined; // another took the seat at the same time, and cleared up
    throw error;
  }
  const isMine = async () => (await readDispatching(store, layout))?.dispatcher === dispatcher;
  return {
    isMine,
    async leave() {
      // Taken over: the lock there is the other's, and must not go with this one's. Nor if that cannot be told: it gets stale.
      if (!(await isMine().catch(() => false))) return held.abandon();
      await store.unlink(layout.dispatcherFile).catch(() => undefined);
      await held.release();
    },
  };
}
