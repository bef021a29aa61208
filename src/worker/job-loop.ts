import { type Pace, paceAfter } from "../job/pace.js";
import { Doorbell, lookEvery } from "../store/doorbell.js";
import { isSystemError } from "../store/store.js";
import type { Alarm } from "./alarm.js";
import { Attempt, type ClaimEnd } from "./attempt.js";
import type { OwnDesk } from "./desk.js";
import { type Duty, fence } from "./duty.js";
import { releaseAll } from "./lane.js";
import type { Notes } from "./notes.js";
import { partsOf, rowOf, SINGLE } from "./row.js";
import type { Leave } from "./state.js";

/** Shortest time between two searches for processes that jobs left behind, ms. */
const LEFTOVERS_EVERY = 1000;
/** A job that runs for longer than this, ms, is a long one: while it runs, the worker answers notes at once. */
const LONG_JOB = 200;
/** Pause in seconds when somebody else holds the locks of all jobs for the first time. */
const FIRST_PASS_PAUSE = 0.005;
/** Number of jobs that the worker takes singly after a job that could not run in a row. */
const SINGLY = 16;

/** How many of these jobs, from the first one on, can run on this host now. */
function countOfFit(attempts: readonly Attempt[]): number {
  const unfit = attempts.findIndex((attempt) => !attempt.prepare());
  return unfit < 0 ? attempts.length : unfit;
}

/** Takes the jobs on the desk, row by row, until the worker leaves or is fenced. */
export class JobLoop {
  readonly #duty: Duty;
  readonly #desk: OwnDesk;
  readonly #notes: Notes;
  readonly #alarm: Alarm;
  readonly #dismiss: (how: Leave, why: string) => void;
  readonly #bell: Doorbell;
  /** Calls off the timer that starts to watch the desk when a job turns out to be a long one. */
  #stopListening: () => void = () => undefined;
  /** Monotonic time since which the desk has been empty, ms; undefined while jobs lie on it. */
  #emptySince: number | undefined;
  /** Whether a job has run since the last search for leftovers. */
  #ranJobs = false;
  /** Monotonic time of the last search for leftovers, ms. */
  #searchedAt = 0;
  #pace: Pace = { mean: 0, spread: 0 };
  /** How often in turn somebody else held the locks of all jobs on the desk. */
  #passes = 0;
  /** Number of jobs that the worker still takes singly. */
  #singly = 0;
  /** The rows of jobs that lie in the lane, in their order. Each resolves when its jobs are settled. */
  readonly #rows: Promise<unknown>[] = [];
  /** Monotonic time when the last row was settled, ms. */
  #settledAt = 0;

  constructor(
    duty: Duty,
    desk: OwnDesk,
    notes: Notes,
    alarm: Alarm,
    dismiss: (how: Leave, why: string) => void,
  ) {
    this.#duty = duty;
    this.#desk = desk;
    this.#notes = notes;
    this.#alarm = alarm;
    this.#dismiss = dismiss;
    this.#bell = new Doorbell(duty.store, (_dir, entry) => {
      alarm.ring();
      if (entry !== undefined && notes.isNote(entry)) notes.answerNow();
    });
    duty.lane.onTurn = () => this.#onTurn();
    duty.lane.onClear = () => alarm.ring();
  }

  async run(): Promise<void> {
    const { state, settings, stall } = this.#duty;
    while (state.takesJobs) {
      this.#alarm.reset();
      try {
        await this.#turn();
      } catch (error) {
        if (!isSystemError(error)) throw error;
        stall(error);
        await this.#settleAll();
        await this.#alarm.wait(settings.poll);
      }
    }
    await this.#settleAll();
  }

  async stop(): Promise<void> {
    this.#stopListening();
    await this.#bell.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #turn(): Promise<void> {
    const { lane } = this.#duty;
    const view = await this.#desk.read();
    if (view === undefined) return fence(this.#duty);
    if ((await this.#notes.answer(view)) > 0) return; // the answers may have removed jobs from the desk
    const files = view.files.filter((file) => !lane.has(file));
    if (files.length > 0 && lane.takesMore) return this.#takeAll(files);
    if (this.#rows.length > 0) return this.#settleRows(this.#rows.length - 1);
    return this.#idle();
  }

  async #idle(): Promise<void> {
    const { state, heartbeat, store, settings } = this.#duty;
    if (!state.takesJobs) return;
    if (state.rest()) await heartbeat.renew("ring").catch(() => undefined); // the next beat announces it again
    await this.#clearLeftovers();
    await this.#bell.listen(this.#desk.path);
    // A job may have arrived before the desk was watched, so the worker reads an empty desk again at once.
    const isFirstTime = this.#emptySince === undefined;
    this.#emptySince ??= store.clock.now();
    const seconds = (store.clock.now() - this.#emptySince) / 1000;
    if (seconds > settings.idleLimit) return this.#dismiss("after-job", "idle for too long");
    if (!isFirstTime) await this.#alarm.wait(lookEvery(store, settings.poll));
  }

  async #takeAll(files: readonly string[]): Promise<void> {
    const { state, store, settings, lane, runner } = this.#duty;
    // After half of the jobs the announcement wakes the dispatcher, so that more jobs arrive before the desk is empty.
    const half = files.length >> 1;
    this.#emptySince = undefined;
    if (this.#pace.mean < LONG_JOB / 1000) this.#bell.ignore(this.#desk.path);
    let passed = 0;
    for (let index = 0; index < files.length; ) {
      const { jobs, rows } = this.#singly > 0 || !runner.canSkip ? SINGLE : rowOf(this.#pace);
      if (this.#singly > 0) this.#singly--;
      // The last job of the desk stays free until its turn, so that an idle worker can get it.
      const isLast = jobs === 1 && index === files.length - 1;
      await this.#settleRows(isLast ? 0 : rows - 1);
      if (store.clock.now() - this.#searchedAt > LEFTOVERS_EVERY) await this.#clearLeftovers();
      if (!state.takesJobs || !lane.takesMore) return;
      // S10: no job begins while this worker may have been declared lost.
      if (this.#duty.mayBeFenced()) return this.#alarm.wait(settings.poll);
      const row = files.slice(index, index + jobs);
      const taken = await this.#take(row, index <= half && half < index + jobs);
      if (taken === "given-back") return this.#settleRows(0); // these jobs come first again
      passed += taken;
      index += jobs;
    }
    if (passed < files.length) this.#passes = 0;
    else await this.#alarm.wait(this.#pauseAfterPass());
  }

  /**
   * Seconds to wait when somebody else holds all locks. Mostly a dispatcher moves the jobs, which takes a millisecond. A
   * dispatcher that died meanwhile holds them until they are stale.
   */
  #pauseAfterPass(): number {
    const { store, settings } = this.#duty;
    const pause = FIRST_PASS_PAUSE * 2 ** Math.min(this.#passes++, 20);
    return store.kind === "local" ? Math.min(pause, settings.poll) : settings.poll;
  }

  /**
   * Claims the jobs of a row and puts them into the lane.
   *
   * @returns number of jobs that another process has; `given-back` if some have to wait until the lane is empty
   */
  async #take(files: readonly string[], ring: boolean): Promise<number | "given-back"> {
    const { store, heartbeat } = this.#duty;
    const begin = store.clock.now();
    const attempts = files.map((file) => new Attempt(this.#duty, file));
    const claims = await Promise.allSettled(attempts.map((attempt) => attempt.claim()));
    const endOf = (claim: PromiseSettledResult<ClaimEnd>) =>
      claim.status === "fulfilled" ? claim.value : "failed";
    const ends = claims.map(endOf);
    const claimed = attempts.filter((_attempt, index) => ends[index] === "claimed");
    if (ends.includes("refused")) this.#measure(begin, 1);
    if (ends.includes("desk-gone")) {
      await releaseAll(claimed);
      await fence(this.#duty);
      return 0;
    }
    // The timer lets the jobs start before the announcement is written.
    if (ring && claimed.length > 0)
      store.clock.after(0, () => void heartbeat.renew("ring").catch(() => undefined));
    const isComplete = await this.#runAll(partsOf(claimed), begin);
    for (const claim of claims) if (claim.status === "rejected") throw claim.reason;
    return isComplete ? ends.filter((end) => end === "passed").length : "given-back";
  }

  /** @returns false if some of the jobs were given back. Nobody else could take them while they wait for a job that takes long. */
  async #runAll(parts: Attempt[][], begin: number): Promise<boolean> {
    let left: readonly Attempt[] = [];
    try {
      for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
        left = part;
        left = await this.#run(part, begin);
        if (left.length > 0 || part.some(({ isAlone }) => isAlone)) {
          this.#singly = SINGLY;
          break;
        }
      }
    } finally {
      left = [...left, ...parts.flat()];
      await releaseAll(left);
    }
    return left.length === 0;
  }

  /**
   * Puts a part of a row into the lane, up to a job that cannot run on this host now. An earlier job may make its directory, so that
   * it is looked at again when the lane is empty.
   *
   * @param begin monotonic time when the worker turned to these jobs, ms
   * @returns the jobs that were not put into the lane
   */
  async #run(part: readonly Attempt[], begin: number): Promise<readonly Attempt[]> {
    const { state, lane, heartbeat, ledger, runner } = this.#duty;
    const isAlone = part.some((attempt) => attempt.isAlone);
    const isApart = part.some(({ logfile }) => logfile !== undefined && this.#writes(logfile));
    if ((isAlone || isApart) && this.#rows.length > 0) return part;
    await ledger.mend();
    await runner.assure();
    const fit = countOfFit(part);
    if (fit === 0 && this.#rows.length > 0) return part;
    const mayBegin =
      state.takesJobs && lane.takesMore && runner.isAssured && !part.some(({ isLate }) => isLate);
    if (!mayBegin) return part;
    const attempts = part.slice(0, Math.max(1, fit));
    heartbeat.say({ pace: this.#pace.mean, spread: this.#pace.spread });
    this.#ranJobs = true;
    const settled = lane.run(attempts, this.#pace.mean * 1000);
    this.#rows.push(settled.then((jobs) => this.#measure(begin, jobs)));
    this.#rows.at(-1)?.catch(() => undefined); // `#settleRows` throws the error
    return part.slice(attempts.length);
  }

  /** Waits until all rows are settled. The jobs of a row that fails are still on the desk. */
  async #settleAll(): Promise<void> {
    for (const row of await Promise.allSettled(this.#rows.splice(0))) {
      if (row.status === "rejected" && !isSystemError(row.reason)) throw row.reason;
    }
  }

  /** Waits until so many rows, or fewer, are not settled. @throws the error of a row */
  async #settleRows(most: number): Promise<void> {
    while (this.#rows.length > most) {
      try {
        await this.#rows[0];
      } finally {
        void this.#rows.shift();
      }
    }
  }

  /** @param begin monotonic time when the worker turned to these jobs, ms */
  #measure(begin: number, jobs: number): void {
    if (jobs === 0) return;
    const now = this.#duty.store.clock.now();
    const seconds = (now - Math.max(begin, this.#settledAt)) / 1000;
    this.#settledAt = now;
    this.#pace = paceAfter(this.#pace, seconds / jobs);
  }

  /** Whether a job in the lane has this logfile. */
  #writes(logfile: string): boolean {
    return this.#duty.lane.attempts.some((attempt) => attempt.logfile === logfile);
  }

  #onTurn(): void {
    this.#listenLater();
    this.#notes.answerAgain();
  }

  /** Starts to watch the desk when the job has run for long. During short jobs each watch event would only cost time. */
  #listenLater(): void {
    this.#stopListening();
    this.#stopListening = this.#duty.store.clock.after(
      LONG_JOB,
      () => void this.#bell.listen(this.#desk.path),
    );
  }

  /** Kills the processes that an earlier job left in the runner's group, and the runner with them. */
  async #clearLeftovers(): Promise<void> {
    if (!this.#ranJobs) return;
    const { runner, store, log } = this.#duty;
    this.#ranJobs = this.#rows.length > 0;
    this.#searchedAt = store.clock.now();
    if (!runner.hasLeftovers()) return;
    await this.#settleRows(0);
    if (!runner.hasLeftovers()) return;
    log.info("killed processes that a job left behind");
    await runner.kill();
  }
}
