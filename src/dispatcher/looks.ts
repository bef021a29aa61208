import { Counts } from "../ledger/counts.js";
import type { Actor } from "../spool/actor.js";
import { lookEvery } from "../store/doorbell.js";
import { pauseAfter } from "../store/pause.js";
import type { Left } from "./all-ended.js";
import { Arrays } from "./arrays.js";
import { Attendance } from "./attendance.js";
import { Deadlines } from "./deadlines.js";
import { Departures } from "./departures.js";
import { Dependencies } from "./dependencies.js";
import { Desks } from "./desks.js";
import { beginArrays } from "./feed.js";
import { Hints } from "./hints.js";
import { KnownJobs } from "./known-jobs.js";
import type { News } from "./news.js";
import { Retries } from "./retries.js";
import { Stock } from "./stock.js";

/** Time in ms between two looks at all desks, on a store with file events, when there are too many workers to watch. */
const MANY_WORKERS_POLL = 50;
/** Shortest time between two looks at the retry desk, ms. */
const RETRY_LOOKS_APART = 100;
/** Pause between two looks at the jobs that others wait for. */
const DEPENDENCIES_PAUSE = { times: 20, atLeast: 100, atMost: 30_000 };

/**
 * Looks at the directories. Each pass of the dispatcher begins with these looks. A look is made when it is due, or earlier when a
 * file event hints at a change.
 */
export class Looks {
  readonly jobs: KnownJobs;
  readonly #actor: Actor;
  readonly #news: News;
  readonly #attendance: Attendance;
  readonly #departures: Departures;
  readonly #dependencies: Dependencies;
  readonly #hints: Hints;
  readonly #deadlines: Deadlines<"roll-call" | "desks" | "listing" | "retries" | "dependencies">;
  #hasRemovedLocks = false;

  /** @param wake is called when a look should be made soon */
  constructor(actor: Actor, news: News, wake: () => void) {
    this.#actor = actor;
    this.#news = news;
    const counts = new Counts(actor);
    const jobs = new KnownJobs(
      new Stock(actor, news),
      new Arrays(actor, news),
      new Desks(actor),
      new Retries(actor, counts),
    );
    this.jobs = jobs;
    this.#deadlines = new Deadlines({
      "roll-call": {},
      desks: { wakes: () => !this.#hints.hearsWorkers && jobs.hasWork },
      listing: { rest: () => jobs.stock.pauseBetweenListings },
      retries: { wakes: () => jobs.retries.waiting > 0 },
      dependencies: { wakes: () => jobs.hasBlocked },
    });
    this.#departures = new Departures(actor, jobs, news, (place) =>
      this.#deadlines.hurry(place === "retry" ? "retries" : "listing"),
    );
    this.#attendance = new Attendance({ ...actor, counts }, jobs.desks, (job, worker) =>
      this.#departures.resolve(job, worker),
    );
    this.#dependencies = new Dependencies(actor, (job) => jobs.isOpen(job));
    this.#hints = new Hints(actor, () => this.#deadlines.hurry("listing"), wake);
  }

  /** Counts of the jobs that have not ended, as the last looks found them. */
  get left(): Left {
    return this.jobs.left(this.#deadlines.isHurried("listing") || this.#departures.hasHidden);
  }

  /** Whether a worker gets no jobs, because its heartbeat is late. */
  isSuspect(worker: string): boolean {
    return this.#attendance.isSuspect(worker);
  }

  /** Reads the announcement and the desk of one worker. */
  async readDesk(worker: string): Promise<void> {
    await this.#attendance.readDesk(worker);
  }

  /** Makes the looks that are due. @param now monotonic, ms @returns whether the roll was called */
  async make(now: number): Promise<boolean> {
    // Workers whose announcements change after this point are handled in the next pass.
    const hinted = this.#hints.takeWorkers();
    const callsRoll = this.#deadlines.isDue("roll-call", now);
    if (callsRoll) await this.#callRoll(now);
    else await this.#lookAtDesks(hinted, now);
    await this.#takeStock(now);
    if (this.#deadlines.isDue("retries", now)) await this.#lookAtRetries(now);
    if (this.#deadlines.isDue("dependencies", now)) await this.lookAtDependencies();
    await this.#departures.findHidden();
    return callsRoll;
  }

  /** Makes all looks due at once. */
  hurryAll(): void {
    this.#deadlines.hurryAll();
  }

  /** Time until a look is due, in ms. */
  untilNext(now: number): number {
    const { stock } = this.jobs;
    if (stock.isBehind || this.#hints.hasWorkers) return 0;
    return Math.min(this.#deadlines.untilNext(now), stock.pauseBeforeUnsettled);
  }

  /** Releases the jobs whose dependencies have ended, and cancels the jobs that can never run. */
  async lookAtDependencies(): Promise<void> {
    if (!this.jobs.hasBlocked) return;
    const { stock, arrays, blocked } = this.jobs;
    const { clock } = this.#actor.store;
    const begin = clock.now();
    const { free, cancelled } = await this.#dependencies.resolve(blocked);
    const end = clock.now();
    this.#deadlines.made("dependencies", end, pauseAfter(end - begin, DEPENDENCIES_PAUSE));
    for (const { file, isArray } of free) (isArray === true ? arrays : stock).free(file);
    for (const { file, job, reason, isArray } of cancelled) {
      if (isArray !== true) {
        this.#news.cancelled(1);
        stock.forget(file);
      }
      this.#news.cancelledBecause(file, job, reason);
    }
    if (cancelled.some(({ isArray }) => isArray)) await arrays.readAll();
  }

  async stop(): Promise<void> {
    await this.#hints.stop();
    await this.jobs.stock.stop();
  }

  /** S8: looks at all workers, once a beat. */
  async #callRoll(now: number): Promise<void> {
    const { store, settings, locksmith } = this.#actor;
    const beat = settings.beat * 1000;
    this.#deadlines.made("roll-call", now, beat);
    this.#deadlines.made("desks", store.clock.now(), this.#desksApart);
    await this.#hints.watchWorkers(this.jobs.desks.all.length);
    const { lost, unheld } = await this.#attendance.call();
    if (lost.length + unheld.length > 0) this.#deadlines.hurry("listing");
    if (lost.length > 0) this.#deadlines.hurry("retries");
    for (const file of unheld) this.#news.editEnded(file);
    for (const worker of lost) this.#news.workerLost(worker);
    this.#deadlines.made("roll-call", store.clock.now(), beat); // roll calls must be at least a beat apart
    await locksmith.removeLeft();
    if (!this.#hasRemovedLocks) await this.#attendance.removeLocksOfDispatchers();
    this.#hasRemovedLocks = true;
  }

  /**
   * Looks at the desks of the workers whose announcements have changed. Where no file events come, looks at all desks while there
   * is work.
   */
  async #lookAtDesks(hinted: readonly string[], now: number): Promise<void> {
    let workers = hinted;
    if (!this.#hints.hearsWorkers) {
      if (!this.jobs.hasWork || !this.#deadlines.isDue("desks", now)) return;
      this.#deadlines.made("desks", now, this.#desksApart);
      workers = this.jobs.desks.all.map((desk) => desk.worker);
    }
    for (const worker of workers) await this.#attendance.readDesk(worker);
  }

  /** Lists the queue when the listing is due, and reads the new files. */
  async #takeStock(now: number): Promise<void> {
    const { stock, arrays } = this.jobs;
    await stock.listOn();
    if (stock.hasUnsettled) this.#deadlines.hurry("listing");
    if (this.#deadlines.isDue("listing", now) && !stock.isBehind) {
      this.#deadlines.made("listing", now, this.#looksApart);
      await stock.list();
      if (await this.#hints.watchQueue(stock.listed)) await stock.list();
      await arrays.readAll();
    }
    await stock.readOn();
    if (stock.arrays.size > 0) await beginArrays(this.jobs);
  }

  /** S9: decides about the jobs on the retry desk. */
  async #lookAtRetries(now: number): Promise<void> {
    const { retries } = this.jobs;
    const decisions = await retries.decide(now);
    if (retries.hasPutBack) this.#deadlines.hurry("listing");
    const due = retries.nextDue(now) ?? Number.POSITIVE_INFINITY;
    const apart = Math.min(this.#actor.settings.beat * 1000, Math.max(due, RETRY_LOOKS_APART));
    this.#deadlines.made("retries", now, apart);
    for (const decision of decisions) {
      if (decision.kind === "given-up") this.#departures.noteGivenUp(decision.job);
      this.#news.decided(decision);
    }
  }

  /** Time between two looks at the queue, in ms. */
  get #looksApart(): number {
    return lookEvery(this.#actor.store, this.#actor.settings.poll) * 1000;
  }

  /** Time in ms between two looks at all desks, where no file events come from workers. */
  get #desksApart(): number {
    return this.#actor.store.rings ? MANY_WORKERS_POLL : this.#looksApart;
  }
}
