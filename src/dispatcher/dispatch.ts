import { Ledger } from "../ledger/ledger.js";
import { fileModeIn } from "../project/access.js";
import { openDaemonLog, ROTATION_LOOKS_APART } from "../project/daemon-log.js";
import { isDispatcherKey } from "../project/entry-names.js";
import { removeAbandoned } from "../spool/abandoned-files.js";
import type { Actor } from "../spool/actor.js";
import type { DispatcherFile } from "../spool/dispatcher-lock.js";
import { hostName, newActorId } from "../spool/identity.js";
import { Locksmith } from "../spool/locksmith.js";
import { namesIfThere } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import { isErrno, isTrouble } from "../store/store.js";
import { Dispatcher } from "./dispatcher.js";
import type { DispatcherEvent } from "./events.js";
import type { Progress } from "./progress.js";
import { countEnds, type Ends, type StoodBy, standBy } from "./standby.js";

export type DispatchEvent =
  | DispatcherEvent
  | { kind: "standing-by"; behind: DispatcherFile | undefined }
  | { kind: "started" }
  | ({ kind: "all-ended" } & DispatchCounts);

export interface DispatchOptions {
  /** Whether to keep running when all jobs have ended, and wait for more jobs. */
  readonly stay?: boolean;
  readonly onEvent?: (event: DispatchEvent) => void | Promise<void>;
  readonly logLevel?: string;
  /** When this signal aborts, `dispatch` stops handing out jobs and returns. */
  readonly signal?: AbortSignal;
  /** Called each time before jobs are handed out. If it returns true, no more jobs are handed out. */
  readonly isHalted?: (progress: Progress) => boolean;
}

/** Counts of the jobs that have ended since this dispatcher started. */
interface DispatchCounts {
  readonly succeeded: number;
  readonly failed: number;
  /** Jobs that somebody cancelled, and jobs that did not run because a job that they waited for did not succeed. */
  readonly cancelled: number;
  /** Names of the jobs that stay in the queue because they wait for jobs that do not exist. */
  readonly blocked: readonly string[];
  /** Seconds since this dispatcher saw the first job. */
  readonly elapsed: number;
}

/** The counts, and why dispatching ended: all jobs have ended, or the signal stopped it. */
export interface DispatchResult extends DispatchCounts {
  readonly end: "all-ended" | "stopped";
}

const STOPPED: DispatchResult = {
  end: "stopped",
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  blocked: [],
  elapsed: 0,
};

/**
 * Takes the dispatcher lock, or stands by until the lock is free, and dispatches. If this process is stopped for a long time,
 * another dispatcher may take the lock. Then this function stands by again.
 *
 * @throws the error that `onEvent` throws, after it has stopped handing out jobs
 */
export async function dispatch(site: Site, options: DispatchOptions): Promise<DispatchResult> {
  const { store, layout } = site;
  const listener = new Listener(options);
  const id = newActorId("d");
  const daemonLog = openDaemonLog(
    layout.daemonLog(id),
    options.logLevel ?? "info",
    undefined,
    fileModeIn(layout),
  );
  const stopRotation = store.clock.every(ROTATION_LOOKS_APART, () => daemonLog.rotate());
  try {
    const self = { id, log: daemonLog.logger };
    const result = await dispatchAs(self, listener.signal, site, options, listener.tell);
    listener.rethrow();
    return result;
  } finally {
    stopRotation();
    daemonLog.close();
  }
}

type Tell = (event: DispatchEvent) => Promise<void>;

/**
 * Reports events to the caller. If the caller's function throws, the dispatcher stops in good order and `rethrow` throws the
 * error.
 */
class Listener {
  readonly #onEvent: DispatchOptions["onEvent"];
  readonly #failed = new AbortController();
  readonly signal: AbortSignal;

  constructor({ onEvent, signal }: DispatchOptions) {
    this.#onEvent = onEvent;
    this.signal = signal === undefined ? this.#failed.signal : AbortSignal.any([signal, this.#failed.signal]);
  }

  readonly tell: Tell = async (event) => {
    try {
      await this.#onEvent?.(event);
    } catch (error) {
      this.#failed.abort(error);
    }
  };

  rethrow(): void {
    if (this.#failed.signal.aborted) throw this.#failed.signal.reason;
  }
}

/**
 * Dispatches under a given identity and with a given log. The function uses only the store for all other access to the system.
 */
export async function dispatchAs(
  { id, log }: Pick<Actor, "id" | "log">,
  signal: AbortSignal,
  site: Site,
  options: DispatchOptions,
  tell: Tell,
): Promise<DispatchResult> {
  const { store, layout, settings } = site;
  let ledger: Ledger | undefined;
  let locksmith: Locksmith | undefined;
  // If the store fails at the start, the dispatcher reports the error and ends. Once it has held the lock, it waits until the
  // store works again.
  let hasBegun = false;
  try {
    ledger = await Ledger.open(store, layout.ledgerOf(id), settings.flush);
    for (;;) {
      const stoodBy = await standBy(site, id, signal, hasBegun, (behind) => {
        void tell({ kind: "standing-by", behind });
      });
      if (stoodBy.kind === "stopped") return STOPPED;
      hasBegun ||= stoodBy.before !== undefined;
      try {
        locksmith = await begin(site, id, ledger);
      } catch (error) {
        await stoodBy.lock.leave(); // otherwise no dispatcher could take the lock while this process lives
        // ENOENT: a cache still showed a key that another dispatcher has removed, and the key could not be opened.
        if (!hasBegun || !(isTrouble(error) || isErrno(error, "ENOENT"))) throw error;
        await store.clock.sleep(settings.poll * 1000, signal);
        continue;
      }
      hasBegun = true;
      const { access } = site;
      const actor = { store, layout, settings, access, id, ledger, locksmith, log };
      const result = await dispatchWithLock(actor, stoodBy, signal, options, tell);
      if (result !== undefined) return result;
      log.warn("another dispatcher has taken the dispatcher lock");
    }
  } finally {
    await ledger?.close().catch((error) => log.warn({ error: String(error) }, "trouble with the ledger"));
    await locksmith?.close();
  }
}

/** Removes the files that killed dispatchers have left, and opens the locksmith, which locks jobs. */
async function begin(site: Site, id: string, ledger: Ledger): Promise<Locksmith> {
  const { store, layout } = site;
  await removeOldKeys(site);
  const held = await namesIfThere(store, layout.jobheld).catch(() => []); // the directory may belong to another user
  await removeAbandoned(store, layout.jobheld, held);
  const locksmith = await Locksmith.open(site, id);
  try {
    await ledger.append({ event: "dispatching", dispatcher: id, host: hostName(), pid: process.pid });
  } catch (error) {
    await locksmith.close(); // otherwise the locksmith's key would stay
    throw error;
  }
  return locksmith;
}

/** Removes the keys of dispatchers that were killed. A worker's key is removed when the worker is declared lost. */
async function removeOldKeys({ store, layout }: Site): Promise<void> {
  for (const name of await store.list(layout.jobpod)) {
    if (isDispatcherKey(name)) await store.unlink(layout.onDesk(".", name)).catch(() => undefined);
  }
}

/** Dispatches as long as this process holds the dispatcher lock. @returns undefined when another dispatcher has taken the lock */
async function dispatchWithLock(
  actor: Actor,
  { lock, sawJobs, before }: StoodBy & { kind: "holds-lock" },
  signal: AbortSignal,
  options: DispatchOptions,
  tell: Tell,
): Promise<DispatchResult | undefined> {
  const { log, id, ledger, layout } = actor;
  try {
    log.info({ dispatcher: id, project: layout.root }, "dispatching");
    void tell({ kind: "started" });
    const dispatcher = new Dispatcher({
      ...actor,
      holdsLock: () => lock.isMine(),
      tell: (event) => void tell(event),
      sawJobs,
      isHalted: options.isHalted,
    });
    let since = before;
    let ended: DispatchCounts | undefined;
    const end = await dispatcher.run(options.stay !== true, lock.signal(signal), async () => {
      ended = await countsOf(actor, dispatcher, since);
      since = undefined;
      await tell({ kind: "all-ended", ...ended });
    });
    const result = end === "all-ended" && ended ? ended : await countsOf(actor, dispatcher, since);
    const { succeeded, failed } = result;
    await ledger.append({ event: "dispatched", dispatcher: id, succeeded, failed, reason: end });
    log.info({ succeeded, failed, end }, "stopped dispatching");
    if (end !== "all-ended" && !signal.aborted) return undefined;
    return { end: end === "all-ended" ? "all-ended" : "stopped", ...result };
  } finally {
    await lock.leave();
  }
}

/**
 * @param before the counts of ended jobs when this dispatcher began to stand by. Jobs that ended under the earlier dispatcher
 * since then count, too
 */
async function countsOf(
  site: Site,
  dispatcher: Dispatcher,
  before: Ends | undefined,
): Promise<DispatchCounts> {
  const { succeeded, failed, cancelled, elapsed } = dispatcher.progress;
  const blocked = dispatcher.blocked.map(({ job }) => job);
  if (before === undefined) return { succeeded, failed, cancelled, blocked, elapsed };
  const now = await countEnds(site);
  return {
    succeeded: Math.max(succeeded, now.succeeded - before.succeeded),
    failed: Math.max(failed, now.failed - before.failed),
    cancelled,
    blocked,
    elapsed,
  };
}
