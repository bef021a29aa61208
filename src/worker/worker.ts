import type pino from "pino";
import { type Pace, paceAfter } from "../job/pace.js";
import type { Layout, Note } from "../project/layout.js";
import type { Settings } from "../project/settings.js";
import { withdrawAnnouncement } from "../spool/announcement.js";
import { type Ask, heedAsk, readAsk } from "../spool/ask.js";
import { Doorbell, lookEvery } from "../spool/doorbell.js";
import { isElsewhere } from "../spool/finish.js";
import { hostName, identify } from "../spool/identity.js";
import { JobOwners } from "../spool/job-owners.js";
import { Ledger } from "../spool/ledger.js";
import { Locksmith } from "../spool/lock.js";
import { isErrno, isSystemError, isTrouble, type Store } from "../spool/store.js";
import { Attempt, type Bench } from "./attempt.js";
import { type DeskView, OwnDesk } from "./desk.js";
import { Heartbeat } from "./heartbeat.js";
import type { Launcher, StartLauncher } from "./launcher.js";
import { LauncherShell } from "./launcher-shell.js";

/** How a worker's time on duty ended. `fenced`: it was declared lost and may come back under another id. */
export type DutyEnd = "left" | "fenced";

export interface WorkerSetup {
  readonly store: Store;
  readonly layout: Layout;
  readonly settings: Settings;
  readonly log: pino.Logger;
  readonly id: string;
  readonly directory: string;
  /** Starts what runs its jobs; a launcher shell if not said. */
  readonly startLauncher?: StartLauncher;
}

type Leaving = "no" | "after-job" | "now";

/** Between two looks for what jobs left behind, ms. */
const LEFTOVER_LOOKS = 1000;
/** So long, in leases, a cache may show what was: 60 s by nfs(5), of 300 s. */
const REMEMBERED = 0.2;
/** A job that runs for so long, ms, is one during which notes are heard at once. */
const LONG_JOB = 200;

/**
 * The state machine of one worker.
 *
 *     hired ──► idle ◄──► busy ──► leaving ──► gone
 *                 └────────┴──► fenced (declared lost) ──► gone
 *
 * idle: nothing on the desk, waits for the bell, the polling floor or a note. busy: takes the desk's jobs one after
 * the other. stalled: as busy, but the store takes nothing (a full disk): it waits for that to pass. leaving: a note or
 * a signal said so; what is still on the desk goes back to the queue. fenced: the desk is gone, so somebody declared the
 * worker lost: it kills its job before anything else (S10) and publishes nothing.
 */
export class Worker implements Bench {
  readonly store: Store;
  readonly layout: Layout;
  readonly settings: Settings;
  readonly owners: JobOwners;
  readonly log: pino.Logger;
  readonly worker: string;
  readonly directory: string;
  /** These three are set by `onDuty`, before anything asks for them. */
  ledger!: Ledger;
  locksmith!: Locksmith;
  #heartbeat!: Heartbeat;
  readonly #desk: OwnDesk;
  readonly #bell: Doorbell;
  #launcher: Launcher | undefined;
  readonly #startLauncher: StartLauncher;
  /** The attempt that runs; undefined between two jobs. */
  #attempt: Attempt | undefined;
  /** Notes about single jobs are answered one look after the other. */
  #answering: Promise<number> = Promise.resolve(0);
  /** Whether one could not be answered, as its job was just being claimed. */
  #hasUnanswered = false;
  #leaving: Leaving = "no";
  #leavingReason = "";
  #fenced = false;
  /** It removes its desk itself: that it is gone tells nothing any more. */
  #clearsDesk = false;
  /** Hangs the bell when a job turns out to be a long one. */
  #stopListening: () => void = () => undefined;
  #wake: () => void = () => undefined;
  #rang = false;
  /** Whether a job ran since the last look for leftovers, and when that was. */
  #ranJobs = false;
  #lastLeftoverLook = 0;
  /** Since when there has been nothing to do, monotonic, ms. */
  #idleSince = 0;
  /** Looks at an empty desk in a row: the first is followed by another at once, with the bell hung. */
  #idleLooks = 0;
  #pace: Pace = { mean: 0, spread: 0 };

  constructor(setup: WorkerSetup) {
    this.store = setup.store;
    this.layout = setup.layout;
    this.settings = setup.settings;
    this.owners = new JobOwners(setup.layout, setup.settings);
    this.log = setup.log;
    this.worker = setup.id;
    this.directory = setup.directory;
    this.#startLauncher =
      setup.startLauncher ?? ((directory, environment) => new LauncherShell(directory, environment));
    this.#desk = new OwnDesk(this.store, this.layout, this.worker);
    this.#bell = new Doorbell(this.store, (_dir, entry) => this.#ring(entry));
  }

  /** Announces itself, works until it is fired or fenced, and leaves nothing behind. */
  async onDuty(): Promise<DutyEnd> {
    await this.#comeOn().catch(async (error) => {
      await this.killLauncher();
      throw error;
    });
    // One at a time: a store that does not answer gets no second question.
    let beating: Promise<void> | undefined;
    const stopBeats = this.store.clock.every(this.settings.beat * 1000, () => {
      beating ??= this.#beat().finally(() => {
        beating = undefined;
      });
    });
    try {
      await this.#work();
      if (!this.#fenced) await this.#leave();
    } finally {
      stopBeats();
      this.#stopListening();
      await this.#bell.stop();
      await beating; // or it would announce who has gone
      await this.#heartbeat.settle();
      await this.killLauncher();
    }
    await this.#sayGoodbye();
    return this.#fenced ? "fenced" : "left";
  }

  /** Asks it to go: after the job that it is on, or (`now`) stopping the job, which goes back to the queue. */
  dismiss(how: "after-job" | "now", reason: string): void {
    if (this.#leaving === "now" || (this.#leaving === "after-job" && how === "after-job")) return;
    this.#leaving = how;
    this.#leavingReason = reason;
    this.#heartbeat.say({ state: "leaving" });
    this.log.info({ how, reason }, "leaving");
    if (how === "now") void this.#attempt?.stop("fired");
    void this.#heartbeat.renew("ring").catch(() => undefined);
    this.#ring(undefined);
  }

  launcher(): Launcher {
    if (!this.#launcher?.isAlive) {
      this.#launcher = this.#startLauncher(this.directory, {
        FJORD_PROJECT: this.layout.root,
        FJORD_WORKER: this.worker,
      });
      this.#heartbeat?.say({ group: this.#launcher.group });
    }
    return this.#launcher;
  }

  async killLauncher(): Promise<void> {
    const launcher = this.#launcher;
    this.#launcher = undefined;
    await launcher?.kill();
  }

  mayBeFenced(since = Number.POSITIVE_INFINITY): boolean {
    if (this.#fenced || this.#heartbeat.silence > this.deadline || this.#mayLookAtThePast) return true;
    return this.#heartbeat.sinceReturn * 1000 <= this.store.clock.now() - since; // what was found before is to be looked for anew
  }

  /** It has been silent for so long that it may have lost its desk, and a cache may still show it. */
  get #mayLookAtThePast(): boolean {
    const { beat, lostAfter } = this.settings;
    return this.store.kind === "network" && this.#heartbeat.sinceReturn < beat * lostAfter * REMEMBERED;
  }

  /**
   * The time after which the worker stops its job by itself: two beats before others may declare it lost, or one where
   * they are so impatient that a single late beat would kill every job.
   */
  get deadline(): number {
    const { beat, lostAfter } = this.settings;
    return beat * Math.max(lostAfter - 2, Math.min(lostAfter - 0.5, 2));
  }

  get timeLeft(): number {
    return Math.max(0.1, this.deadline - this.#heartbeat.silence);
  }

  async #comeOn(): Promise<void> {
    const { store, layout, worker, directory } = this;
    this.ledger = await Ledger.open(store, layout.ledgerOf(worker), this.settings.flush);
    this.#heartbeat = new Heartbeat(
      store,
      layout,
      {
        worker,
        host: hostName(),
        process: identify(),
        state: "idle",
        beat: 0,
        slots: 1,
        pace: 0,
        spread: 0,
        group: this.launcher().group,
        directory,
        since: new Date(store.clock.wall()).toISOString(),
        log: layout.daemonLog(worker),
      },
      this.deadline,
    );
    // Announced first: a desk without an announcement is taken for one that was left behind.
    await this.#heartbeat.renew();
    await store.mkdir(layout.desk(worker));
    try {
      this.locksmith = await Locksmith.open(store, layout, worker);
    } catch (error) {
      // Stopped since it announced itself, for so long that it was declared lost. Else there is no project any more.
      if (!isErrno(error, "ENOENT") || !(await store.has(layout.jobpod))) throw error;
      return this.#fence("its desk is gone");
    }
    await this.ledger.append({ event: "hired", worker, host: hostName(), pid: process.pid, directory });
    this.log.info({ worker, directory }, "on duty");
  }

  #ring(entry: string | undefined): void {
    this.#rang = true;
    if (entry === ".fire" || entry === ".fire-now" || this.layout.isAsk(entry ?? "")) this.#lookForNotes();
    this.#wake();
  }

  #lookForNotes(): void {
    this.#desk
      .look()
      .then((view) => view && this.#heedAll(view))
      .catch(() => undefined); // the beat will find out
  }

  /** @returns how many notes about single jobs were answered */
  #heedAll({ note, asks }: DeskView): Promise<number> {
    this.#heed(note);
    if (asks.length === 0) return Promise.resolve(0);
    const before = this.#answering;
    this.#answering = before.catch(() => 0).then(() => this.#answer(asks));
    return this.#answering;
  }

  #heed(note: Note | undefined): void {
    if (note === "fire-now") this.dismiss("now", "fired");
    else if (note === "fire") this.dismiss("after-job", "fired");
  }

  async #answer(asks: readonly string[]): Promise<number> {
    let answered = 0;
    for (const entry of asks) {
      const path = this.layout.onDesk(this.worker, entry);
      const ask = await readAsk(this.store, path);
      if (ask === undefined) continue;
      if (ask.file === this.#attempt?.file) {
        if (ask.what === "cancel") void this.#attempt.cancel(ask.by);
      } else if (!(await this.#setAside(ask))) {
        this.#hasUnanswered = true;
        continue;
      }
      await this.store.unlink(path).catch(() => undefined);
      answered++;
    }
    return answered;
  }

  /** S4: a job that lies on the desk and has not begun. False: it is just being claimed. */
  async #setAside(ask: Ask): Promise<boolean> {
    const { file } = ask;
    const path = this.layout.onDesk(this.worker, file);
    if (!(await this.store.has(path))) return true;
    const lock = await this.locksmith
      .lock(path, () => undefined)
      .catch((error) => {
        if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
        throw error;
      });
    if (lock === undefined) return false;
    try {
      await heedAsk(this, ask, path, 0);
    } finally {
      await lock.release();
    }
    return true;
  }

  /** S7, S10: looks at the desk, renews the heartbeat, and stops the job when either is no longer its own. */
  async #beat(): Promise<void> {
    try {
      const view = await this.#desk.look();
      if (view === undefined) return this.#clearsDesk ? undefined : await this.#fence("its desk is gone");
      void this.#heedAll(view).catch(() => undefined);
      const attempt = this.#attempt;
      const claimed = attempt?.claimed;
      if (claimed !== undefined && !view.files.includes(claimed.file)) {
        // Gone, or just finished: only when it lies somewhere else and is still this attempt's was it taken away.
        const taken = await isElsewhere(this.store, this.layout, claimed);
        if (taken && attempt === this.#attempt) await attempt?.stop("fenced");
      }
      await this.#heartbeat.renew();
      // Between two jobs it rests until the next one begins.
      if (this.#attempt !== undefined) this.launcher().renew(this.deadline);
      else this.#launcher?.rest();
    } catch (error) {
      const { silence } = this.#heartbeat;
      this.log.warn({ error: String(error), silence }, "missed a heartbeat");
      if (silence > this.deadline) await this.#attempt?.stop("fenced");
    }
  }

  async #fence(reason: string): Promise<void> {
    if (this.#fenced) return;
    this.#fenced = true;
    this.log.error({ reason }, "declared lost");
    await this.#attempt?.stop("fenced");
    this.#ring(undefined);
  }

  async #work(): Promise<void> {
    while (!this.#fenced && this.#leaving === "no") {
      this.#rang = false;
      try {
        const view = await this.#desk.look();
        if (view === undefined) await this.#fence("its desk is gone");
        else if ((await this.#heedAll(view)) > 0)
          continue; // what lies there has changed
        else if (view.files.length === 0) await this.#idle();
        else await this.#takeAll(view.files);
      } catch (error) {
        if (!isSystemError(error)) throw error;
        await this.#waitOut(error);
      }
    }
  }

  readonly stall = (error: unknown): void => {
    this.log.warn({ error: String(error) }, "the store has trouble: waiting");
    if (this.#leaving === "no") this.#heartbeat.say({ state: "stalled" });
  };

  async #waitOut(error: unknown): Promise<void> {
    this.stall(error);
    await this.#pause(this.settings.poll);
  }

  async #idle(): Promise<void> {
    if (this.#leaving !== "no") return;
    if (this.#heartbeat.state !== "idle") {
      this.#heartbeat.say({ state: "idle", job: null });
      await this.#heartbeat.renew("ring").catch(() => undefined); // the next beat tells
    }
    await this.#clearLeftovers();
    await this.#bell.hang(this.#desk.path);
    if (this.#idleLooks === 0) this.#idleSince = this.store.clock.now();
    const idle = (this.store.clock.now() - this.#idleSince) / 1000;
    if (idle > this.settings.idleLimit) return this.dismiss("after-job", "idle for too long");
    if (this.#idleLooks++ > 0) await this.#pause(lookEvery(this.store, this.settings.poll));
  }

  /** Until the bell rings, or so many seconds. */
  async #pause(seconds: number): Promise<void> {
    if (this.#rang) return;
    await new Promise<void>((resolve) => {
      const callOff = this.store.clock.after(seconds * 1000, resolve);
      this.#wake = () => {
        callOff();
        resolve();
      };
    });
    this.#wake = () => undefined;
  }

  async #takeAll(files: readonly string[]): Promise<void> {
    // Half of it done: the announcement rings at the dispatcher's, so that more arrives before the desk is empty.
    const half = files.length >> 1;
    let passed = 0;
    this.#idleLooks = 0;
    if (this.#pace.mean < LONG_JOB / 1000) this.#bell.take(this.#desk.path);
    for (const [index, file] of files.entries()) {
      if (this.#fenced || this.#leaving !== "no") return;
      // S10: nothing is begun while it is not known whether this worker still counts.
      if (this.mayBeFenced()) return this.#pause(this.settings.poll);
      const begin = this.store.clock.now();
      const attempt = new Attempt(this, file);
      let end: Awaited<ReturnType<Attempt["carryOut"]>>;
      try {
        end = await attempt.carryOut(() => this.#started(attempt, index === half));
      } finally {
        this.#attempt = undefined;
        this.#heartbeat.say({ job: null });
      }
      if (end === "desk-gone") return this.#fence("its desk is gone");
      if (end === "passed") passed++;
      else this.#measure((this.store.clock.now() - begin) / 1000);
      if (this.store.clock.now() - this.#lastLeftoverLook > LEFTOVER_LOOKS) await this.#clearLeftovers();
    }
    // Another holds their locks: a dispatcher that moves them, or one that died while it did.
    if (passed === files.length) await this.#pause(this.settings.poll);
  }

  #started(attempt: Attempt, ring: boolean): void {
    this.#attempt = attempt;
    this.#ranJobs = true;
    this.#listenLater();
    this.#heartbeat.say({
      state: this.#leaving === "no" ? "busy" : "leaving",
      pace: this.#pace.mean,
      spread: this.#pace.spread,
      job: { name: attempt.job, attempt: attempt.number, started: attempt.started.toISOString() },
    });
    if (this.#hasUnanswered) {
      this.#hasUnanswered = false;
      this.#lookForNotes();
    }
    // When the job has been started: it does not wait for that.
    if (ring) this.store.clock.after(0, () => void this.#heartbeat.renew("ring").catch(() => undefined));
    if (this.#leaving === "now") void attempt.stop("fired");
  }

  /** The bell is of no use to who is busy, and costs at each job that comes: it hangs when a job takes longer. */
  #listenLater(): void {
    this.#stopListening();
    this.#stopListening = this.store.clock.after(LONG_JOB, () => void this.#bell.hang(this.#desk.path));
  }

  #measure(seconds: number): void {
    this.#pace = paceAfter(this.#pace, seconds);
  }

  /** Between two jobs nothing but the launcher should be in its group: what a job left there is killed with it. */
  async #clearLeftovers(): Promise<void> {
    if (!this.#ranJobs || this.#launcher === undefined) return;
    this.#ranJobs = false;
    this.#lastLeftoverLook = this.store.clock.now();
    if (!this.#launcher.hasLeftovers()) return;
    this.log.info("a job left processes behind: killed");
    await this.killLauncher();
  }

  async #leave(): Promise<void> {
    this.#clearsDesk = true;
    this.#heartbeat.say({ state: "leaving", job: null });
    await this.#heartbeat.renew("ring").catch(() => undefined);
    await this.#untilDone(() => this.#desk.clear());
    this.log.info({ reason: this.#leavingReason }, "left");
  }

  /** A zombie's last heartbeat may have brought its announcement back: it is withdrawn in any case. */
  async #sayGoodbye(): Promise<void> {
    const { store, layout, worker } = this;
    const reason = this.#fenced ? "declared lost" : this.#leavingReason;
    await this.#untilDone(() => this.ledger.append({ event: "left", worker, reason }));
    await this.ledger
      .close()
      .catch((error) => this.log.warn({ error: String(error) }, "trouble with the ledger"));
    await this.#untilDone(() => withdrawAnnouncement(store, layout, worker));
  }

  async #untilDone(action: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await action();
      } catch (error) {
        if (!isTrouble(error)) throw error;
        this.log.warn({ error: String(error) }, "the store has trouble: leaving later");
        await this.store.clock.sleep(this.settings.poll * 1000);
      }
    }
  }
}
