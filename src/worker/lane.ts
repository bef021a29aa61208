import type { Site } from "../store/site.js";
import type { RunRequest } from "./command.js";
import type { Heartbeat } from "./heartbeat.js";
import type { OwnRunner } from "./own-runner.js";
import type { RunEnd } from "./runner.js";
import type { RunningAttempt, StateMachine } from "./state.js";
import type { Stop } from "./stop.js";

/** Shortest time in ms after which a job counts as long, so that no other job waits behind it. */
const LONG_AT_LEAST = 20;
/** A job is long after so many times the time that it should take. */
const LONG = 1.5;

/** A worker, as far as its lane needs it. */
interface Carrier extends Pick<Site, "store"> {
  readonly state: StateMachine;
  readonly runner: OwnRunner;
  readonly heartbeat: Heartbeat;
}

/** An attempt that has claimed its job. */
export interface ClaimedAttempt extends RunningAttempt {
  /** Time limit of the job in seconds; undefined if it has none. */
  readonly timeout: number | undefined;
  /** Absolute path of the job's logfile. The output of two jobs with one logfile must not be mixed up. */
  readonly logfile: string | undefined;
  /** The request to run the job, from the last `prepare`; undefined if the job cannot run on this host. */
  readonly request: RunRequest | undefined;
  /** The job is the one that runs. @param onTimeout called when it has run for as long as it may */
  becomeCurrent(onTimeout: () => void): void;
  /** Gives the claim back, since the job does not begin. */
  release(): Promise<void>;
  /** Publishes the outcome, or gives the claim back. @param end undefined for a job that cannot run on this host */
  settle(end: RunEnd | undefined): Promise<void>;
}

/** Gives claims back. */
export async function releaseAll(attempts: readonly ClaimedAttempt[]): Promise<void> {
  await Promise.all(attempts.map((attempt) => attempt.release()));
}

/**
 * The jobs that the worker has handed to its runner, in the order in which they run. The first one runs. Mostly there is one job.
 * Several short jobs lie in the lane at once, so that the runner need not wait for the worker between two of them.
 *
 * The worker learns of their ends late, all at once. When something happens that concerns one job, such as a note or a job that
 * takes long, the jobs behind the first one leave the lane, and stay on the desk as if they had not been claimed.
 */
export class Lane {
  readonly #carrier: Carrier;
  readonly #attempts: ClaimedAttempt[] = [];
  /** Releases of claims that are under way. */
  readonly #releases = new Set<Promise<void>>();
  /** Called when another job runs. */
  onTurn: () => void = () => undefined;
  /** Called when `stop` and `clear` have ended, so that the lane may take jobs again. */
  onClear: () => void = () => undefined;
  /** Whether the first job has turned out to be a long one. */
  #isBlocked = false;
  /** Number of calls of `stop` and `clear` that are under way. */
  #clearings = 0;
  /** Time in ms in which a job should end. */
  #expected = 0;
  #callOff: () => void = () => undefined;
  /** Whether the first job will be looked for as soon as all ends that have been told are noted. */
  #isTurning = false;

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  get isEmpty(): boolean {
    return this.#attempts.length === 0;
  }

  /** Whether jobs may be added. Behind a long job they would be trapped, and a job that is killed takes the runner with it. */
  get takesMore(): boolean {
    return !this.#isBlocked && this.#clearings === 0;
  }

  get attempts(): readonly ClaimedAttempt[] {
    return this.#attempts;
  }

  has(file: string): boolean {
    return this.#attempts.some((attempt) => attempt.file === file);
  }

  /**
   * S5: runs claimed jobs behind those of the lane. No other code runs between the call and their handing over.
   *
   * @param expected time in ms that each of them should take
   * @returns when all of them are settled: how many of them have run
   * @throws ErrnoException EAGAIN when the system can start no process now
   */
  async run(attempts: readonly ClaimedAttempt[], expected: number): Promise<number> {
    let handed: (Promise<RunEnd> | undefined)[];
    try {
      handed = this.#handOver(attempts);
    } catch (error) {
      await releaseAll(attempts);
      throw error;
    }
    this.#expected = expected;
    this.#attempts.push(...attempts);
    if (this.#attempts.length === attempts.length) this.#turn();
    const settled = await Promise.allSettled(
      attempts.map(async (attempt, index) => {
        const end = await handed[index];
        this.#remove(attempt);
        const settling = attempt.settle(end);
        if (end?.kind === "skipped") this.#note(settling);
        await settling;
        return end?.kind !== "skipped";
      }),
    );
    const failed = settled.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return settled.filter((one) => one.status === "fulfilled" && one.value).length;
  }

  /** @returns an end for each job; undefined for a job that cannot run on this host */
  #handOver(attempts: readonly ClaimedAttempt[]): (Promise<RunEnd> | undefined)[] {
    const { runner, heartbeat } = this.#carrier;
    const current = runner.current();
    const requests = attempts.map((attempt) => attempt.request);
    const fit = requests.filter((request) => request !== undefined);
    // S10: the deadline is set before a job starts, because this process may be stopped right after that.
    if (fit.length > 0) current.watch(heartbeat.timeLeft);
    const ends = fit.length > 0 ? current.run(fit) : [];
    return requests.map((request) => (request === undefined ? undefined : ends.shift()));
  }

  /**
   * Stops the job that runs, and takes the others out of the lane. A fenced worker stops them all, and at once.
   *
   * @param file stops the job only if it has this file
   */
  stop(why: Stop, file?: string): Promise<void> {
    return this.#withoutMore(async () => {
      if (why.kind === "fenced" && file === undefined) {
        this.#carrier.runner.look();
        await undefined; // the jobs whose ends this has told leave the lane, and are not stopped
        await Promise.all(this.#attempts.map((attempt) => attempt.stop(why)));
        return;
      }
      await this.clear();
      const [first] = this.#attempts;
      if (file === undefined || first?.file === file) await first?.stop(why);
    });
  }

  /** Takes all jobs but the first one out of the lane. Resolves when it is certain which one runs, and the others are free. */
  clear(): Promise<void> {
    return this.#withoutMore(async () => {
      await this.#carrier.runner.skip();
      await Promise.all(this.#releases);
    });
  }

  /** No job is added to the lane meanwhile. */
  async #withoutMore(work: () => Promise<void>): Promise<void> {
    this.#clearings++;
    try {
      await work();
    } finally {
      if (--this.#clearings === 0) this.onClear();
    }
  }

  #note(release: Promise<void>): void {
    const noted = release.catch(() => undefined).finally(() => this.#releases.delete(noted));
    this.#releases.add(noted);
  }

  #remove(attempt: ClaimedAttempt): void {
    this.#attempts.splice(this.#attempts.indexOf(attempt), 1);
    if (this.#isTurning) return;
    this.#isTurning = true;
    queueMicrotask(() => this.#turn());
  }

  #turn(): void {
    this.#isTurning = false;
    const { state } = this.#carrier;
    const [first] = this.#attempts;
    if (first === state.attempt) return;
    this.#callOff();
    this.#isBlocked = false;
    state.endAttempt();
    if (first === undefined || !state.mayRun) return;
    state.begin(first);
    const { timeout: after = 0, file } = first;
    first.becomeCurrent(() => void this.stop({ kind: "timed-out", after }, file));
    this.#watch(first);
    this.onTurn();
  }

  /** Clears the lane if the first job takes long. */
  #watch(first: ClaimedAttempt): void {
    const { store, runner } = this.#carrier;
    const wait = Math.max(LONG_AT_LEAST, this.#expected * LONG);
    this.#callOff = store.clock.after(wait, () => {
      if (runner.look() < this.#attempts.length) return; // a job has ended, so that another one has its turn
      this.#isBlocked = true;
      if (this.#attempts.length > 1 && first === this.#attempts[0]) void this.clear();
    });
  }
}
