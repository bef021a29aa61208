import type { Actor } from "../spool/actor.js";
import { isSystemError } from "../store/store.js";
import { WakeablePause } from "../store/wakeable-pause.js";
import { type AllEnded, hasJobs, isNothingLeft, judgeEnd, OPEN, untilProof } from "./all-ended.js";
import type { Blocked } from "./dependencies.js";
import type { DispatcherEvent } from "./events.js";
import { feed } from "./feed.js";
import { HandOut } from "./hand-out.js";
import { Looks } from "./looks.js";
import { News } from "./news.js";
import type { Progress } from "./progress.js";

export interface DispatcherSetup extends Actor {
  /** Called after each roll call. Returns false when another dispatcher has taken the dispatcher lock. */
  readonly holdsLock: () => Promise<boolean>;
  readonly tell: (event: DispatcherEvent) => void;
  /** Whether there were jobs while this dispatcher stood by. If no job is left now, all jobs have ended. */
  readonly sawJobs: boolean;
  /**
   * Called before jobs are handed out. If it returns true, no more jobs are handed out. With this option, a desk holds only the
   * job that runs, so no further job begins.
   */
  readonly isHalted?: ((progress: Progress) => boolean) | undefined;
}

/** Why `run` returned. The ledger records this word. */
export type DispatchEnd = "all-ended" | "stopped" | "seat-lost";

/**
 * The dispatcher's loop. Each pass looks at the directories, plans, and acts. The dispatcher can read all its data again from the
 * directories. So it may be killed at any moment, and the next dispatcher continues its work.
 */
export class Dispatcher {
  readonly #s: DispatcherSetup;
  readonly #news: News;
  readonly #looks: Looks;
  readonly #handOut: HandOut;
  #end: AllEnded = OPEN;
  /** Whether the last pass made a roll call. The dispatcher checks its lock after each roll call. */
  #calledRoll = false;
  readonly #pause: WakeablePause;

  constructor(setup: DispatcherSetup) {
    this.#s = setup;
    this.#pause = new WakeablePause(setup.store.clock);
    this.#news = new News(setup.store.clock, setup.log, setup.tell);
    if (setup.sawJobs) this.#news.tally.begin();
    this.#looks = new Looks(setup, this.#news, () => this.#pause.wake());
    this.#handOut = new HandOut(setup, this.#looks);
  }

  /** Jobs in the queue, and arrays, that wait for other jobs. */
  get blocked(): Blocked[] {
    return this.#looks.jobs.blocked;
  }

  get progress(): Progress {
    return this.#looks.jobs.progress(this.#news.tally);
  }

  /**
   * Dispatches until all jobs have ended (`once`), or until it is stopped.
   *
   * @param once whether to return when there were jobs and all have ended
   * @param onAllEnded is called each time all jobs have ended. During the call, `progress` still counts these jobs
   */
  async run(once: boolean, signal: AbortSignal, onAllEnded: () => Promise<void>): Promise<DispatchEnd> {
    const onAbort = () => this.#pause.wake();
    signal.addEventListener("abort", onAbort);
    try {
      while (!signal.aborted) {
        try {
          await this.#pass();
          if (this.#calledRoll && !(await this.#s.holdsLock())) return "seat-lost";
          if (await this.#haveAllEnded(signal)) {
            await onAllEnded();
            if (once) return "all-ended";
            this.#news.tally.restart(); // with --stay, the next jobs are counted from 0
            this.#end = { kind: "over" };
          }
        } catch (error) {
          // An error of the store is temporary, and no data is only in memory, so the loop goes on. Any other error is a bug.
          if (!isSystemError(error)) throw error;
          this.#news.troubleWithStore(error);
          await this.#sleep(this.#s.settings.poll * 1000, signal);
        }
        await this.#sleep(this.#untilNext(), signal);
      }
      return "stopped";
    } finally {
      signal.removeEventListener("abort", onAbort);
      await this.#looks.stop();
    }
  }

  async #pass(): Promise<void> {
    const { store, isHalted, tell } = this.#s;
    this.#calledRoll = await this.#looks.make(store.clock.now());
    await feed(this.#looks.jobs);
    if (isHalted?.(this.progress) !== true) await this.#handOut.act(isHalted !== undefined);
    if (hasJobs(this.#end, this.#looks.left)) this.#news.tally.begin();
    tell({ kind: "progress", progress: this.progress });
  }

  /**
   * One look that finds no job proves nothing. So the dispatcher looks at all directories again, on a network file system after
   * its caches have expired. A dispatcher that has lost the lock cannot decide this, because it may not see the jobs that its
   * successor has handed out.
   */
  async #haveAllEnded(signal: AbortSignal): Promise<boolean> {
    const now = this.#s.store.clock.now();
    this.#end = judgeEnd(this.#end, this.#looks.left, this.#news.tally.hasBegun, now);
    if (untilProof(this.#end, now, this.#settle) > 0) return false;
    this.#end = OPEN;
    this.#looks.hurryAll();
    // Several passes are needed for a long queue in which all jobs are blocked.
    do await this.#pass();
    while (this.#looks.jobs.stock.isListing && !signal.aborted);
    // During that pass, a job that other jobs wait for may have returned to the queue or left it.
    await this.#looks.lookAtDependencies();
    return isNothingLeft(this.#looks.left) && !signal.aborted && (await this.#s.holdsLock());
  }

  /** Time for which caches may show an old state, in ms. */
  get #settle(): number {
    return this.#s.store.kind === "network" ? this.#s.settings.settle * 1000 : 0;
  }

  /** Time until the next pass is due, in ms. */
  #untilNext(): number {
    const now = this.#s.store.clock.now();
    return Math.max(0, Math.min(this.#looks.untilNext(now), untilProof(this.#end, now, this.#settle)));
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (!signal.aborted) await this.#pause.wait(ms);
  }
}
