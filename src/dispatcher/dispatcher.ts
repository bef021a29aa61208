import type pino from "pino";
import { jobName } from "../job/name.js";
import type { Layout } from "../project/layout.js";
import type { Settings } from "../project/settings.js";
import { type Assignment, assign, moveToDesk, writeOrder } from "../spool/assign.js";
import { Doorbell, lookEvery } from "../spool/doorbell.js";
import { type Ending, endingOf } from "../spool/ending.js";
import { messageOf } from "../spool/errno.js";
import { History } from "../spool/history.js";
import type { Ledger } from "../spool/ledger.js";
import type { Locksmith } from "../spool/lock.js";
import type { Reclaimed } from "../spool/reclaim.js";
import { isDenied, isSystemError, type Store } from "../spool/store.js";
import { Arrays } from "./arrays.js";
import { Attendance } from "./attendance.js";
import { type Blocked, Dependencies } from "./dependencies.js";
import { type Desk, Desks, type HandedOut } from "./desks.js";
import { type Load, plan } from "./plan.js";
import { Retries } from "./retries.js";
import { Stock } from "./stock.js";
import { Tally } from "./tally.js";
import type { Waiting } from "./waiting.js";

/** What the dispatcher tells whoever runs it. */
export type DispatcherEvent =
  | { kind: "progress"; progress: Progress }
  | { kind: "refused"; file: string; reason: string }
  | {
      kind: "worker-lost";
      worker: string;
      reason: string;
      back: number;
      givenUp: number;
      /** Names of those that went back; the one that ran comes first. */
      jobs: string[];
    }
  /** `attempt` is the next one, counting the failures; `log` is that of the last. */
  | ({ kind: "retry"; job: string; attempt: number; of: number } & Omit<Ending, "attempt">)
  | ({ kind: "failed"; job: string } & Ending)
  | ({ kind: "given-up"; job: string; reason: string } & Ending)
  | { kind: "cancelled"; job: string; reason: string }
  | { kind: "trouble"; message: string };

/** Counts of this dispatcher's own time; `waiting` and `running` are of now. */
export interface Progress {
  readonly waiting: number;
  readonly running: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Of those that a desk held, and those that were to run after one that did not succeed. */
  readonly cancelled: number;
  readonly workers: number;
  readonly free: number;
  /** Jobs per second, lately; 0 while unknown. */
  readonly rate: number;
  /** Seconds since the first job was seen. */
  readonly elapsed: number;
}

export interface DispatcherSetup {
  readonly store: Store;
  readonly layout: Layout;
  readonly settings: Settings;
  readonly ledger: Ledger;
  readonly locksmith: Locksmith;
  readonly log: pino.Logger;
  readonly id: string;
  /** Asked now and then; false: the seat is another's, stop. */
  readonly isSeatMine: () => Promise<boolean>;
  readonly tell: (event: DispatcherEvent) => void;
  /** Jobs were there while this one stood by: if none is left, all have ended. */
  readonly sawJobs: boolean;
  /** Asked before anything is handed out: whether to hand out no more. It is to be exact, so nothing lies ahead on desks. */
  readonly isHalted?: ((progress: Progress) => boolean) | undefined;
}

/** Why `run` came back. */
export type DispatchEnd = "all-ended" | "stopped" | "seat-lost";

/** A watched directory is listed by chokidar at each ring, unless it can be kept from that: longer queues are only polled. */
const WATCHABLE = 100;
/** Between two looks at all desks where events come, and are too many to be listened to, ms. */
const MANY_WORKERS_POLL = 50;
/** Between two looks at the retry desk, ms, at the least. */
const RETRY_LOOKS_APART = 100;
/** Jobs that should be ready to be handed out while arrays have more: these, and so many for each on a desk. */
const READY_AT_LEAST = 16;
const READY_PER_JOB = 2;
/** Seconds of work that should lie ahead of a worker, where the bell rings. */
const LOCAL_WINDOW = 0.1;

/** What ran before what only lay there, then by name. */
function byTurn(a: Reclaimed, b: Reclaimed): number {
  const ran = ({ lostAttempt }: Reclaimed) => (lostAttempt === undefined ? 0 : 1);
  return ran(b) - ran(a) || (a.file < b.file ? -1 : 1);
}

/**
 * The loop: take stock, plan, act. It holds nothing that it could not read again from the directories, so it may be
 * killed at any moment; whoever comes next goes on.
 */
export class Dispatcher {
  readonly #s: DispatcherSetup;
  readonly #stock: Stock;
  readonly #desks: Desks;
  readonly #retries: Retries;
  readonly #dependencies: Dependencies;
  readonly #arrays: Arrays;
  readonly #attendance: Attendance;
  readonly #bell: Doorbell;
  readonly #rungWorkers = new Set<string>();
  #queueRang = true;
  #wake: () => void = () => undefined;
  #nextRollCall = 0;
  /** Whether the last pass did; the seat is looked at as often. */
  #calledRoll = false;
  #removedLocks = false;
  #lastListing = 0;
  /** Whether workers are heard when they ring; many, and those on a network, are looked at in turn instead. */
  #listens = true;
  #lastDeskLook = 0;
  #nextRetryLook = 0;
  /** Files that were seen in the queue or on the retry desk, as a listing that a cache keeps may not show them yet. */
  readonly #hidden = new Map<string, string>();
  /** Jobs that were given up on the retry desk before their workers' desks were seen without them. */
  readonly #givenUp = new Set<string>();
  #tally: Tally;
  /** Since when all seems to have ended, monotonic, ms; undefined while it does not. */
  #overSince: number | undefined;
  /** All has ended but jobs that wait for others which are not there, and that was told. */
  #isStuck = false;

  constructor(setup: DispatcherSetup) {
    this.#s = setup;
    const { store, layout, settings, ledger } = setup;
    const history = new History(store, layout);
    this.#tally = new Tally(store.clock);
    if (setup.sawJobs) this.#tally.begin();
    this.#stock = new Stock(store, layout, settings, ledger, {
      onRefused: (file, reason) => this.#refused(file, reason),
      onCancelled: () => this.#tally.countCancelled(1),
    });
    this.#desks = new Desks(store, layout);
    this.#retries = new Retries(store, layout, settings, ledger, history);
    this.#arrays = new Arrays(store, layout, settings, {
      onTrouble: (message) => {
        setup.log.warn({ message }, "trouble with an array");
        setup.tell({ kind: "trouble", message });
      },
      onCancelled: (count) => this.#tally.countCancelled(count),
    });
    this.#dependencies = new Dependencies(store, layout, ledger, setup.id, (job) => this.#isOpen(job));
    const reclaimer = { store, layout, ledger, history, lostLimit: settings.lostLimit };
    const { beat, lostAfter } = settings;
    this.#attendance = new Attendance(reclaimer, this.#desks, beat, lostAfter, (job, worker) =>
      this.#resolve(job, worker),
    );
    this.#bell = new Doorbell(store, (dir, entry) => this.#ring(dir, entry));
  }

  /**
   * Dispatches until all jobs have ended (`once`), or until it is stopped.
   *
   * @param once whether to come back when there were jobs and all have ended
   * @param onAllEnded called each time that happens, with the counts still in `progress`
   */
  async run(once: boolean, signal: AbortSignal, onAllEnded: () => Promise<void>): Promise<DispatchEnd> {
    const { settings, log } = this.#s;
    const onAbort = () => this.#wake();
    signal.addEventListener("abort", onAbort);
    try {
      while (!signal.aborted) {
        try {
          await this.#pass();
          if (this.#calledRoll && !(await this.#s.isSeatMine())) return "seat-lost";
          if (await this.#allEnded(signal)) {
            await onAllEnded();
            if (once) return "all-ended";
            this.#tally = new Tally(this.#s.store.clock); // with --stay, the next jobs are counted afresh
            this.#isStuck = this.#isAllBlocked;
          }
        } catch (error) {
          // The store's trouble passes, and nothing is held in memory alone; anything else is a bug.
          if (!isSystemError(error)) throw error;
          log.error({ error: String(error) }, "trouble with the store");
          this.#s.tell({ kind: "trouble", message: messageOf(error) });
          await this.#sleep(settings.poll * 1000, signal);
        }
        await this.#sleep(this.#untilNext(), signal);
      }
      return "stopped";
    } finally {
      signal.removeEventListener("abort", onAbort);
      await this.#bell.stop();
      await this.#stock.stop();
    }
  }

  /** Jobs in the queue that wait for others, and for whom. */
  get blocked(): Blocked[] {
    return [...this.#stock.blocked, ...this.#arrays.blocked];
  }

  get progress(): Progress {
    const desks = this.#desks.all.filter((desk) => desk.announcement !== undefined);
    const running = desks.filter((desk) => desk.jobs.size > 0).length;
    return {
      waiting:
        this.#stock.waiting + this.#arrays.waiting + this.#retries.waiting + this.#desks.jobs - running,
      running,
      succeeded: this.#tally.succeeded,
      failed: this.#tally.failed,
      cancelled: this.#tally.cancelled,
      workers: desks.length,
      free: desks.length - running,
      rate: this.#tally.rate,
      elapsed: this.#tally.elapsed,
    };
  }

  #ring(dir: string, entry: string | undefined): void {
    const { layout } = this.#s;
    if (dir === layout.jobqueue) this.#queueRang = true;
    else if (dir === layout.workerqueue) {
      const worker = entry === undefined ? undefined : layout.workerOf(entry);
      if (worker === undefined) return;
      this.#rungWorkers.add(worker);
    }
    this.#wake();
  }

  async #pass(): Promise<void> {
    const { settings } = this.#s;
    const now = this.#s.store.clock.now();
    // Who rings from here on is looked at in the next pass.
    const rung = [...this.#rungWorkers];
    this.#rungWorkers.clear();
    if (now >= this.#nextRollCall) {
      this.#nextRollCall = now + settings.beat * 1000;
      this.#calledRoll = true;
      await this.#callRoll();
      this.#nextRollCall = this.#s.store.clock.now() + settings.beat * 1000; // looks that count are a beat apart
      await this.#s.locksmith.removeLeft();
      if (!this.#removedLocks) await this.#attendance.removeLocksOfDispatchers();
      this.#removedLocks = true;
    } else {
      this.#calledRoll = false;
      for (const worker of this.#listens ? rung : this.#unheard(now)) await this.#attendance.look(worker);
    }
    await this.#takeStock(now);
    if (now >= this.#nextRetryLook) {
      const decisions = await this.#retries.decide(now);
      if (this.#retries.hasPutBack) this.#queueRang = true;
      const due = this.#retries.nextDue(now) ?? Number.POSITIVE_INFINITY;
      this.#nextRetryLook = now + Math.min(settings.beat * 1000, Math.max(due, RETRY_LOOKS_APART));
      for (const decision of decisions) {
        if (decision.kind === "cancelled") {
          this.#tally.countCancelled(1);
          continue;
        }
        if (decision.kind === "given-up") {
          this.#tally.count("failed");
          // Its desk has not been looked at since: what left there is not to be counted once more.
          if (this.#desks.holds(`${decision.job}.ini`)) this.#givenUp.add(decision.job);
        }
        const { ending, ...decided } = decision;
        this.#s.tell(
          decided.kind === "again" ? { ...ending, ...decided, kind: "retry" } : { ...decided, ...ending },
        );
      }
    }
    if (this.#hasBlocked && now >= this.#dependencies.nextLook) await this.#lookAtDependencies();
    await this.#lookForHidden();
    await this.#feed();
    await this.#act();
    const isOpen = this.#stock.waiting + this.#arrays.waiting + this.#desks.jobs + this.#retries.waiting > 0;
    if (!this.#isOver()) this.#isStuck = false;
    if (isOpen && !this.#isStuck) this.#tally.begin();
    this.#s.tell({ kind: "progress", progress: this.progress });
  }

  async #lookForHidden(): Promise<void> {
    for (const [file, path] of this.#hidden) {
      const isShown = this.#retries.isWaiting(file) || this.#stock.hasSeen(file);
      if (isShown || !(await this.#s.store.has(path))) this.#hidden.delete(file);
    }
  }

  async #lookAtDependencies(): Promise<void> {
    const { free, cancelled } = await this.#dependencies.look(this.blocked);
    for (const { file, isArray } of free) {
      if (isArray === true) this.#arrays.free(file);
      else this.#stock.free(file);
    }
    for (const { file, job, reason, isArray } of cancelled) {
      if (isArray !== true) {
        this.#tally.countCancelled(1);
        this.#stock.forget(file);
      }
      this.#s.log.warn({ file, reason }, "cancelled");
      this.#s.tell({ kind: "cancelled", job, reason });
    }
    if (cancelled.some(({ isArray }) => isArray)) await this.#arrays.look();
  }

  get #hasBlocked(): boolean {
    return this.#stock.hasBlocked || this.#arrays.blocked.length > 0;
  }

  /** S11: makes jobs of arrays' numbers, as many as workers will soon ask for. */
  async #feed(): Promise<void> {
    const workers = this.#desks.all.filter(({ announcement }) => announcement !== undefined).length;
    if (workers === 0 || this.#arrays.waiting === 0 || this.#stock.isListing) return;
    const target = READY_AT_LEAST + workers + READY_PER_JOB * this.#desks.jobs;
    if (!(await this.#arrays.feed(target, this.#stock))) return;
    await this.#stock.list();
    await this.#stock.lookOn();
  }

  /** Whether a job of this name waits or runs. */
  #isOpen(job: string): boolean {
    const file = `${job}.ini`; // desks and retries go by the name, and so find a script of it, too
    return (
      this.#desks.holds(file) ||
      this.#retries.holds(file) ||
      this.#stock.holds(job) ||
      this.#arrays.holds(job)
    );
  }

  async #takeStock(now: number): Promise<void> {
    const { layout } = this.#s;
    const since = now - this.#lastListing;
    await this.#stock.listOn();
    const due = this.#queueRang || this.#stock.nextLook !== undefined || since >= this.#looksApart;
    if (due && since >= this.#stock.pauseBetweenListings && !this.#stock.isBehind) {
      this.#queueRang = false;
      this.#lastListing = now;
      await this.#stock.list();
      if (this.#stock.listed > WATCHABLE) this.#bell.take(layout.jobqueue);
      else if (await this.#bell.hang(layout.jobqueue)) await this.#stock.list();
      await this.#arrays.look();
    }
    await this.#stock.lookOn();
    if (this.#stock.arrays.size > 0) await this.#beginArrays();
  }

  async #beginArrays(): Promise<void> {
    let hasBegun = false;
    for (const file of this.#stock.arrays.keys()) {
      if (!(await this.#arrays.begin(file))) continue;
      this.#stock.forget(file);
      hasBegun = true;
    }
    if (hasBegun) await this.#arrays.look();
  }

  async #callRoll(): Promise<void> {
    this.#listens = this.#s.store.rings && this.#desks.all.length <= WATCHABLE;
    this.#lastDeskLook = this.#s.store.clock.now();
    if (this.#listens) await this.#bell.hang(this.#s.layout.workerqueue);
    else this.#bell.take(this.#s.layout.workerqueue);
    for (const { worker, reason, jobs } of await this.#attendance.call()) {
      this.#s.log.warn({ worker, reason }, "worker lost");
      this.#queueRang = true;
      this.#nextRetryLook = 0;
      const back = jobs.filter(({ to }) => to === "jobqueue" || to === "retry");
      this.#s.tell({
        kind: "worker-lost",
        worker,
        reason,
        back: back.length,
        givenUp: jobs.filter(({ to }) => to === "jobfailed").length,
        jobs: back.sort(byTurn).map(({ file }) => jobName(file)),
      });
    }
  }

  /** Workers whom no bell tells of, when it is time to look at their desks again and there is something to hand out or await. */
  #unheard(now: number): string[] {
    if (this.#desks.jobs + this.#stock.ready === 0 || now - this.#lastDeskLook < this.#deskLooksApart)
      return [];
    this.#lastDeskLook = now;
    return this.#desks.all.map((desk) => desk.worker);
  }

  /** ms */
  get #deskLooksApart(): number {
    return this.#s.store.rings ? MANY_WORKERS_POLL : this.#looksApart;
  }

  /** Between two looks at the queue, ms. */
  get #looksApart(): number {
    return lookEvery(this.#s.store, this.#s.settings.poll) * 1000;
  }

  /** A job has left its desk: the directories tell how it ended. */
  async #resolve(job: HandedOut, worker: string): Promise<void> {
    const where = await this.#desks.whereabouts(job);
    switch (where) {
      case "jobdone":
        this.#tally.count("succeeded");
        break;
      case "jobfailed":
        if (this.#givenUp.delete(jobName(job.file))) break;
        this.#tally.count("failed");
        this.#s.tell({ kind: "failed", job: jobName(job.file), ...(await this.#ending(job, worker)) });
        break;
      case "retry":
        this.#nextRetryLook = 0;
        this.#hidden.set(job.file, this.#s.layout.toRetry(job.file));
        break;
      case "jobqueue":
        this.#queueRang = true;
        this.#hidden.set(job.file, this.#s.layout.queued(job.file));
        break;
      case "jobcancelled":
        this.#tally.count("cancelled");
        break;
      case "jobheld":
      case "elsewhere":
      case "gone":
        break;
      default: {
        const unknown: never = where;
        throw new Error(`unknown place: ${unknown}`);
      }
    }
  }

  #ending({ file, mark }: HandedOut, worker: string): Promise<Ending> {
    const { store, layout } = this.#s;
    return endingOf(store, layout, worker, file, mark);
  }

  #refused(file: string, reason: string): void {
    this.#tally.countRefused();
    this.#s.log.warn({ file, reason }, "refused");
    this.#s.tell({ kind: "refused", file, reason });
  }

  async #act(): Promise<void> {
    const { store, settings, isHalted } = this.#s;
    if (isHalted?.(this.progress) === true) return;
    const rings = store.kind === "local" || isHalted !== undefined;
    const window = isHalted !== undefined ? 0 : rings ? LOCAL_WINDOW : settings.poll * 2;
    const loads: Load[] = [];
    for (const desk of this.#desks.all) {
      const state = desk.announcement?.state;
      if (!desk.stands || state === undefined || state === "leaving" || state === "stalled") continue;
      if (this.#attendance.isSuspect(desk.worker)) continue;
      loads.push({
        worker: desk.worker,
        jobs: desk.jobs.size,
        pace: desk.announcement?.pace ?? 0,
        still: (this.#s.store.clock.now() - desk.changedAt) / 1000,
      });
    }
    for (const step of plan(loads, this.#stock.ready, window, rings)) {
      switch (step.kind) {
        case "give":
          await this.#give(this.#desks.of(step.worker), step.count);
          break;
        case "move":
          await this.#move(this.#desks.of(step.from), this.#desks.of(step.to));
          break;
        default: {
          const unknown: never = step;
          throw new Error(`unknown step: ${unknown}`);
        }
      }
    }
  }

  async #give(desk: Desk, count: number): Promise<void> {
    const { store, layout } = this.#s;
    const batch: Waiting[] = [];
    const namesakes: Waiting[] = [];
    while (batch.length < count) {
      const job = this.#stock.take();
      if (job === undefined) break;
      // S2: a job waits while another of its name is on a desk, or will be back from one.
      if (this.#desks.holds(job.file) || this.#retries.holds(job.file)) namesakes.push(job);
      else batch.push(job);
    }
    for (const job of namesakes.reverse()) this.#stock.putBack(job);
    if (batch.length + desk.jobs.size > 1) {
      await writeOrder(store, layout, desk.worker, [...desk.jobs.keys(), ...batch.map((job) => job.file)]);
    }
    for (const [index, job] of batch.entries()) {
      const assignment = await this.#assign(job, desk);
      if (assignment === "assigned") this.#desks.put(desk, { file: job.file, mark: job });
      if (assignment === "no-desk") {
        desk.stands = false;
        for (const rest of batch.slice(index).reverse()) this.#stock.putBack(rest);
        return;
      }
    }
  }

  async #assign(job: Waiting, desk: Desk): Promise<Assignment> {
    for (let isSecond = false; ; isSecond = true) {
      try {
        const assignment = await assign(this.#s.store, this.#s.layout, job.file, desk.worker);
        if (assignment === "gone") await this.#stock.noteWithdrawn(job);
        return assignment;
      } catch (error) {
        if (!isDenied(error) || (await this.#stock.isClosed())) {
          this.#stock.putBack(job);
          throw error;
        }
        if (!isSecond) continue; // by the store, once? or by whose file it is
        this.#stock.setAside(job.file, error);
        return "gone";
      }
    }
  }

  async #move(from: Desk, to: Desk): Promise<void> {
    const { store, layout, locksmith } = this.#s;
    for (const job of [...from.jobs.values()].reverse()) {
      if (!(await moveToDesk(store, layout, locksmith, job.file, from.worker, to.worker))) continue;
      this.#desks.take(from, job.file);
      this.#desks.put(to, job);
      return;
    }
  }

  /**
   * One empty listing proves nothing: all is listed once more, on a network file system after its caches' time. Who has
   * lost the seat meanwhile cannot tell: another hands out what he may not see.
   */
  async #allEnded(signal: AbortSignal): Promise<boolean> {
    const now = this.#s.store.clock.now();
    if (!this.#isOver()) this.#overSince = undefined;
    if (!this.#tally.hasBegun || !this.#isOver()) return false;
    this.#overSince ??= now;
    // What comes meanwhile is not to wait for that.
    if (now - this.#overSince < this.#untilSure) return false;
    this.#overSince = undefined;
    this.#nextRollCall = 0;
    this.#nextRetryLook = 0;
    this.#queueRang = true;
    this.#lastListing = Number.NEGATIVE_INFINITY;
    this.#dependencies.hurry();
    do await this.#pass();
    while (this.#stock.isListing && !signal.aborted); // a long queue, of which all waits for what is not there
    // What has come back meanwhile, or waits for what has gone.
    if (this.#hasBlocked) await this.#lookAtDependencies();
    return this.#isOver() && !signal.aborted && (await this.#s.isSeatMine());
  }

  /** How long after an empty look the next one proves something, ms. */
  get #untilSure(): number {
    return this.#s.store.kind === "network" ? this.#s.settings.settle * 1000 : 0;
  }

  /** Nothing waits or runs; what only waits for jobs that are not there would wait for ever. */
  #isOver(): boolean {
    if (this.#desks.jobs > 0 || this.#retries.waiting > 0 || this.#queueRang) return false;
    if (this.#hidden.size > 0 || this.#stock.isBehind || this.#arrays.isBeginning) return false;
    return this.#stock.waiting + this.#arrays.waiting === 0 || this.#isAllBlocked;
  }

  get #isAllBlocked(): boolean {
    return (this.#stock.waiting === 0 || this.#stock.isAllBlocked) && this.#arrays.isAllBlocked;
  }

  #untilNext(): number {
    if (this.#stock.isBehind || this.#rungWorkers.size > 0) return 0;
    const now = this.#s.store.clock.now();
    const nextListing = Math.max(
      this.#queueRang ? 0 : this.#looksApart - (now - this.#lastListing),
      this.#stock.pauseBetweenListings - (now - this.#lastListing),
    );
    const due = [
      this.#listens || this.#desks.jobs + this.#stock.ready === 0
        ? Number.POSITIVE_INFINITY
        : this.#deskLooksApart - (now - this.#lastDeskLook),
      this.#nextRollCall - now,
      nextListing,
      this.#overSince === undefined ? Number.POSITIVE_INFINITY : this.#overSince + this.#untilSure - now,
      this.#stock.nextLook ?? Number.POSITIVE_INFINITY,
      this.#hasBlocked ? this.#dependencies.nextLook - now : Number.POSITIVE_INFINITY,
      this.#retries.waiting === 0 ? Number.POSITIVE_INFINITY : this.#nextRetryLook - now,
    ];
    return Math.max(0, Math.min(...due));
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const callOff = this.#s.store.clock.after(ms, resolve);
      this.#wake = () => {
        callOff();
        resolve();
      };
    });
    this.#wake = () => undefined;
  }
}
