import type { Logger } from "pino";
import { Dispatcher, type DispatcherEvent, type Progress } from "../dispatcher/dispatcher.js";
import { isIgnored } from "../job/name.js";
import { fileModeIn } from "../project/access.js";
import type { Layout } from "../project/layout.js";
import type { Settings } from "../project/settings.js";
import { openDaemonLog } from "../report/daemon-log.js";
import { hostName, newActorId } from "../spool/identity.js";
import { Ledger } from "../spool/ledger.js";
import { Locksmith } from "../spool/lock.js";
import { type Dispatching, readDispatching, type Seat, SeatWatch, takeSeat } from "../spool/seat.js";
import { isErrno, isTrouble, type Store } from "../spool/store.js";

export type DispatchEvent =
  | DispatcherEvent
  | { kind: "standing-by"; behind: Dispatching | undefined }
  | { kind: "started" }
  | ({ kind: "all-ended" } & DispatchCounts);

export interface DispatchOptions {
  /** Stay on when all jobs have ended, and wait for more. */
  readonly stay?: boolean;
  readonly onEvent?: (event: DispatchEvent) => void | Promise<void>;
  readonly logLevel?: string;
  /** Stop handing out and come back. */
  readonly signal?: AbortSignal;
  /** Whether to hand out no more; asked each time before that. */
  readonly isHalted?: (progress: Progress) => boolean;
}

/** Of what ended since this dispatcher started. */
interface DispatchCounts {
  readonly succeeded: number;
  readonly failed: number;
  /** Stopped by somebody, or never begun since a job that they were to run after did not succeed. */
  readonly cancelled: number;
  /** Jobs that are left in the queue, as they wait for jobs that are not there: names. */
  readonly blocked: readonly string[];
  /** Seconds since the first job was seen. */
  readonly elapsed: number;
}

/** `all-ended`, or `stopped` by the signal. */
export interface DispatchResult extends DispatchCounts {
  readonly end: "all-ended" | "stopped";
}

/**
 * Takes the seat, or stands by until it is free, and dispatches. When the seat is taken away (this process was stopped
 * for long, and another took over) it stands by again.
 *
 * @throws whatever `onEvent` throws: then it has stopped handing out
 */
export async function dispatch(
  store: Store,
  layout: Layout,
  settings: Settings,
  options: DispatchOptions,
): Promise<DispatchResult> {
  const listener = new Listener(options);
  const result = await dispatchUntil(listener.signal, store, layout, settings, options, listener.tell);
  listener.rethrow();
  return result;
}

/** Who dispatches. */
interface DispatcherSelf {
  readonly id: string;
  readonly log: Logger;
}

type Tell = (event: DispatchEvent) => Promise<void>;

/** Who is told of events. One that fails stops the dispatcher, instead of the process. */
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

async function dispatchUntil(
  signal: AbortSignal,
  store: Store,
  layout: Layout,
  settings: Settings,
  options: DispatchOptions,
  tell: Tell,
): Promise<DispatchResult> {
  const id = newActorId("d");
  const file = layout.daemonLog(id);
  const daemonLog = openDaemonLog(file, options.logLevel ?? "info", undefined, fileModeIn(layout));
  const rotation = setInterval(() => daemonLog.rotate(), 60_000);
  rotation.unref();
  try {
    return await dispatchAs({ id, log: daemonLog.logger }, signal, store, layout, settings, options, tell);
  } finally {
    clearInterval(rotation);
    daemonLog.close();
  }
}

/** What `dispatch` does, as somebody: everything but the log goes through the store. */
export async function dispatchAs(
  { id, log }: DispatcherSelf,
  signal: AbortSignal,
  store: Store,
  layout: Layout,
  settings: Settings,
  options: DispatchOptions,
  tell: Tell,
): Promise<DispatchResult> {
  let ledger: Ledger | undefined;
  let locksmith: Locksmith | undefined;
  // Who has just been started says what refuses him and ends; who has begun stays through the store's trouble.
  let hasBegun = false;
  try {
    ledger = await Ledger.open(store, layout.ledgerOf(id), settings.flush);
    for (;;) {
      const waited = await waitForSeat(store, layout, settings, id, signal, tell, hasBegun);
      if (waited.kind === "stopped") {
        return { end: "stopped", succeeded: 0, failed: 0, cancelled: 0, blocked: [], elapsed: 0 };
      }
      const { seat, sawJobs } = waited;
      let { before } = waited;
      hasBegun ||= before !== undefined;
      try {
        await removeOldKeys(store, layout);
        locksmith = await Locksmith.open(store, layout, id);
        await ledger.append({ event: "dispatching", dispatcher: id, host: hostName(), pid: process.pid });
      } catch (error) {
        await seat.leave(); // or nobody could take it while this process lives
        // ENOENT: a cache still has the key that another dispatcher has removed, and opens what is not there.
        if (!hasBegun || !(isTrouble(error) || isErrno(error, "ENOENT"))) throw error;
        await store.clock.sleep(settings.poll * 1000, signal);
        continue;
      }
      hasBegun = true;
      log.info({ dispatcher: id, project: layout.root }, "dispatching");
      void tell({ kind: "started" });
      const dispatcher = new Dispatcher({
        store,
        layout,
        settings,
        ledger,
        locksmith,
        log,
        id,
        isSeatMine: () => seat.isMine(),
        tell: (event) => void tell(event),
        sawJobs,
        isHalted: options.isHalted,
      });
      const counts = async (): Promise<DispatchCounts> => {
        const { succeeded, failed, cancelled, elapsed } = dispatcher.progress;
        const blocked = dispatcher.blocked.map(({ job }) => job);
        if (before === undefined) return { succeeded, failed, cancelled, blocked, elapsed };
        const now = await countEnds(store, layout);
        return {
          succeeded: Math.max(succeeded, now.succeeded - before.succeeded),
          failed: Math.max(failed, now.failed - before.failed),
          cancelled,
          blocked,
          elapsed,
        };
      };
      let ended: DispatchCounts | undefined;
      try {
        const end = await dispatcher.run(options.stay !== true, seat.signal(signal), async () => {
          ended = await counts();
          before = undefined;
          await tell({ kind: "all-ended", ...ended });
        });
        const result = end === "all-ended" && ended ? ended : await counts();
        const { succeeded, failed } = result;
        await ledger.append({ event: "dispatched", dispatcher: id, succeeded, failed, reason: end });
        log.info({ succeeded, failed, end }, "stopped dispatching");
        if (end !== "all-ended" && !signal.aborted) {
          log.warn("another dispatcher has taken the seat");
          continue;
        }
        return { end: end === "all-ended" ? "all-ended" : "stopped", ...result };
      } finally {
        await seat.leave();
      }
    }
  } finally {
    await ledger?.close().catch((error) => log.warn({ error: String(error) }, "trouble with the ledger"));
    await locksmith?.close();
  }
}

type HeldSeat = Seat & { signal(outer: AbortSignal): AbortSignal };
/** How many job files lie in the rooms of the ended. */
interface Ends {
  readonly succeeded: number;
  readonly failed: number;
}
/** `before`: what had ended when it began to stand by; it answers for what its predecessor saw end since, too. */
type Waited =
  | { kind: "stopped" }
  | { kind: "seated"; seat: HeldSeat; sawJobs: boolean; before: Ends | undefined };

async function waitForSeat(
  store: Store,
  layout: Layout,
  settings: Settings,
  id: string,
  signal: AbortSignal,
  tell: Tell,
  hasBegun: boolean,
): Promise<Waited> {
  let sawJobs = false;
  let before: Ends | undefined;
  // Read-only or full for a while: the seat is taken by whoever is there when it is over.
  const isPatientWith = (error: unknown) => isTrouble(error) && (hasBegun || before !== undefined);
  const watch = new SeatWatch();
  while (!signal.aborted) {
    const lost = new AbortController();
    const seat = await takeSeat(store, layout, id, settings.beat, () => lost.abort(), watch).catch(
      (error) => {
        if (isPatientWith(error)) return undefined;
        throw error;
      },
    );
    if (seat !== undefined) {
      return {
        kind: "seated",
        seat: { ...seat, signal: (outer) => AbortSignal.any([outer, lost.signal]) },
        sawJobs,
        before,
      };
    }
    try {
      if (before === undefined) {
        before = await countEnds(store, layout);
        void tell({ kind: "standing-by", behind: await readDispatching(store, layout) });
      }
      sawJobs ||= await anyJob(store, layout);
    } catch (error) {
      if (!isPatientWith(error)) throw error;
    }
    // Jitter keeps two standbys apart.
    await store.clock.sleep(settings.poll * (500 + Math.random() * 500), signal);
  }
  return { kind: "stopped" };
}

/** Keys of dispatchers that were killed; a worker's is removed when it is declared lost. */
async function removeOldKeys(store: Store, layout: Layout): Promise<void> {
  for (const name of await store.list(layout.jobpod)) {
    if (layout.isDispatcherKey(name)) await store.unlink(layout.onDesk(".", name)).catch(() => undefined);
  }
}

async function countEnds(store: Store, layout: Layout): Promise<Ends> {
  return {
    succeeded: await countFiles(store, layout.end("jobdone")),
    failed: await countFiles(store, layout.end("jobfailed")),
  };
}

async function countFiles(store: Store, dir: string): Promise<number> {
  return (await store.list(dir)).filter((name) => !isIgnored(name)).length;
}

async function anyJob(store: Store, layout: Layout): Promise<boolean> {
  if ((await countFiles(store, layout.jobqueue)) > 0) return true;
  for (const desk of await store.list(layout.jobpod)) {
    if ((await countFiles(store, layout.desk(desk)).catch(() => 0)) > 0) return true;
  }
  return false;
}
