import { isIgnored } from "../job/name.js";
import {
  type DispatcherFile,
  type DispatcherLock,
  LockWatch,
  readDispatcherFile,
  takeDispatcherLock,
} from "../spool/dispatcher-lock.js";
import type { Site } from "../store/site.js";
import { isTrouble, type Store } from "../store/store.js";

/** The dispatcher lock while this process holds it. */
interface HeldLock extends DispatcherLock {
  /** Returns a signal that aborts when `outer` aborts or the lock is lost. */
  signal(outer: AbortSignal): AbortSignal;
}

/** Number of job files in `jobdone/` and in `jobfailed/`. */
export interface Ends {
  readonly succeeded: number;
  readonly failed: number;
}

/** Result of standing by. */
export type StoodBy =
  | { readonly kind: "stopped" }
  | {
      readonly kind: "holds-lock";
      readonly lock: HeldLock;
      /** Whether there were jobs while this dispatcher stood by. */
      readonly sawJobs: boolean;
      /**
       * Counts of ended jobs when this dispatcher began to stand by. The dispatcher also reports the jobs that ended since then.
       */
      readonly before: Ends | undefined;
    };

/**
 * Takes the dispatcher lock, or stands by until the lock is free.
 *
 * @param hasBegun whether this dispatcher has held the lock before. Then an error of the store does not end it
 * @param onStandby is called once, with the dispatcher that holds the lock
 */
export async function standBy(
  site: Site,
  id: string,
  signal: AbortSignal,
  hasBegun: boolean,
  onStandby: (behind: DispatcherFile | undefined) => void,
): Promise<StoodBy> {
  const { store, settings } = site;
  let isReported = false;
  let sawJobs = false;
  let before: Ends | undefined;
  // The store may be full or read-only for a while. A dispatcher that stands by waits and takes the lock later.
  const isPatientWith = (error: unknown) => isTrouble(error) && (hasBegun || before !== undefined);
  const watch = new LockWatch();
  while (!signal.aborted) {
    const lost = new AbortController();
    const taken = await takeDispatcherLock(site, id, settings.beat, () => lost.abort(), watch).catch(
      (error) => {
        if (isPatientWith(error)) return undefined;
        throw error;
      },
    );
    if (taken !== undefined) {
      const lock = { ...taken, signal: (outer: AbortSignal) => AbortSignal.any([outer, lost.signal]) };
      return { kind: "holds-lock", lock, sawJobs, before };
    }
    try {
      before ??= await countEnds(site);
      sawJobs ||= await isAnyJobThere(site);
      // This call comes last. Every job that exists when somebody reads the report has been seen then.
      if (!isReported) onStandby(await readDispatcherFile(site));
      isReported = true;
    } catch (error) {
      if (!isPatientWith(error)) throw error;
    }
    // A random time, so that two dispatchers that stand by do not try at the same moment.
    await store.clock.sleep(settings.poll * (500 + Math.random() * 500), signal);
  }
  return { kind: "stopped" };
}

export async function countEnds({ store, layout }: Site): Promise<Ends> {
  return {
    succeeded: await countFiles(store, layout.end("jobdone")),
    failed: await countFiles(store, layout.end("jobfailed")),
  };
}

async function countFiles(store: Store, dir: string): Promise<number> {
  return (await store.list(dir)).filter((name) => !isIgnored(name)).length;
}

async function isAnyJobThere({ store, layout }: Site): Promise<boolean> {
  if ((await countFiles(store, layout.jobqueue)) > 0) return true;
  for (const desk of await store.list(layout.jobpod)) {
    if ((await countFiles(store, layout.desk(desk)).catch(() => 0)) > 0) return true;
  }
  return false;
}
