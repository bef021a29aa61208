import type pino from "pino";
import { isIgnored } from "../job/name.js";
import { isLock, type Layout } from "../project/layout.js";
import type { Settings } from "../project/settings.js";
import { withdrawAnnouncement } from "../spool/announcement.js";
import { Doorbell } from "../spool/doorbell.js";
import { isElsewhere, putBack } from "../spool/finish.js";
import { hostName, identify } from "../spool/identity.js";
import { Ledger } from "../spool/ledger.js";
import { Locksmith, removeLock } from "../spool/lock.js";
import { isErrno, type Store } from "../spool/store.js";
import { Attempt, type Bench } from "./attempt.js";
import { Heartbeat } from "./heartbeat.js";
import { LauncherShell } from "./launcher-shell.js";
import { hasLeftovers } from "./usage.js";

/** How a worker's time on duty ended. `fenced`: it was declared lost and may come back under another id. */
export type DutyEnd = "left" | "fenced";

export interface WorkerSetup {
  readonly store: Store;
  readonly layout: Layout;
  readonly settings: Settings;
  readonly log: pino.Logger;
  readonly id: string;
  readonly directory: string;
}

type Leaving = "no" | "after-job" | "now";

/** Between two looks for what jobs left behind, ms. */
const LEFTOVER_LOOKS = 1000;
/** A job that runs for so long, ms, is one during which notes are heard at once. */
const LONG_JOB = 200;

/**
 * The state machine of one worker.
 *
 *     hired ──► idle ◄──► busy ──► leaving ──► gone
 *                 └────────┴──► fenced (declared lost) ──► gone
 *
 * idle: nothing on the desk, waits for the bell, the polling floor or a note. busy: takes the desk's jobs one after
 * the other. leaving: a note or a signal said so; what is still on the desk goes back to the queue. fenced: the desk is
 * gone, so somebody declared the worker lost: it kills its job before anything else (S10) and publishes nothing.
 */
export class Worker implements Bench {
  readonly store: Store;
  readonly layout: Layout;
  readonly settings: Settings;
  readonly log: pino.Logger;
  readonly worker: string;
  readonly directory: string;
  /** Set by `onDuty`, before anything asks for them. */
  ledger!: Ledger;
  locksmith!: Locksmith;
  #heartbeat!: Heartbeat;
  #launcher: LauncherShell | undefined;
  /** The attempt that runs; undefined between two jobs. */
  #attempt: Attempt | undefined;
  #leaving: Leaving = "no";
  #leavingReason = "";
  #fenced = false;
  readonly #bell: Doorbell;
  #listening: NodeJS.Timeout | undefined;
  #wake: () => void = () => undefined;
  #rang = false;
  #lastLeftoverLook = 0;
  /** Looks at an empty desk in a row: the first is followed by another at once, with the bell hung. */
  #idleLooks = 0;
  /** Seconds per job, moving average. */
  #pace = 0;

  constructor(setup: WorkerSetup) {
    this.store = setup.store;
    this.layout = setup.layout;
    this.settings = setup.settings;
    this.log = setup.log;
    this.worker = setup.id;
    this.directory = setup.directory;
    this.#bell = new Doorbell(setup.store, (_dir, entry) => this.#ring(entry));
  }

  /** Announces itself, works until it is fired or fenced, and leaves nothing behind. */
  async onDuty(): Promise<DutyEnd> {
    const { store, layout, worker } = this;
    this.ledger = await Ledger.open(store, layout.ledgerOf(worker), this.settings.flush);
    this.locksmith = await Locksmith.open(store, layout, worker);
    this.#heartbeat = new Heartbeat(store, layout, {
      worker,
      host: hostName(),
      process: identify(),
      state: "idle",
      beat: 0,
      slots: 1,
      pace: 0,
      group: this.launcher().group,
      directory: this.directory,
      since: new Date().toISOString(),
      log: layout.daemonLog(worker),
    });
    // Announced first: a desk without an announcement is taken for one that was left behind.
    await this.#heartbeat.renew();
    await store.mkdir(layout.desk(worker));
    await this.ledger.append({
      event: "hired",
      worker,
      host: hostName(),
      pid: process.pid,
      directory: this.directory,
    });
    this.log.info({ worker, directory: this.directory }, "on duty");
    const beats = setInterval(() => void this.#beat(), this.settings.beat * 1000);
    try {
      await this.#work();
      if (!this.#fenced) await this.#leave();
    } finally {
      clearInterval(beats);
      clearTimeout(this.#listening);
      await this.#bell.stop();
      await this.#heartbeat.settle();
      await this.killLauncher();
      await this.ledger.append({
        event: "left",
        worker,
        reason: this.#fenced ? "declared lost" : this.#leavingReason,
      });
      await this.ledger.close();
      await this.locksmith.close();
    }
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
    void this.#heartbeat.renew().catch(() => undefined);
    this.#ring(undefined);
  }

  launcher(): LauncherShell {
    if (!this.#launcher?.isAlive) {
      this.#launcher = new LauncherShell(this.directory, {
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

  /** The time after which the worker stops its job by itself: two beats before others may declare it lost. */
  get #deadline(): number {
    const { beat, lostAfter } = this.settings;
    return beat * Math.max(1, lostAfter - 2);
  }

  mayBeFenced(): boolean {
    return this.#fenced || this.#heartbeat.silence > this.#deadline;
  }

  #ring(entry: string | undefined): void {
    this.#rang = true;
    if (entry === undefined || entry === ".fire" || entry === ".fire-now") void this.#readNotes();
    this.#wake();
  }

  async #readNotes(names?: readonly string[]): Promise<void> {
    try {
      const desk = names ?? (await this.store.list(this.layout.desk(this.worker)));
      if (desk.includes(".fire-now")) this.dismiss("now", "fired");
      else if (desk.includes(".fire")) this.dismiss("after-job", "fired");
    } catch {
      // a desk that is gone is the beat's business
    }
  }

  /** S7, S10: looks at the desk, renews the heartbeat, and stops the job when either is no longer its own. */
  async #beat(): Promise<void> {
    try {
      const desk = await this.store.list(this.layout.desk(this.worker));
      await this.#readNotes(desk);
      const attempt = this.#attempt;
      const claimed = attempt?.claimed;
      if (claimed !== undefined && !desk.includes(claimed.file)) {
        // Gone, or just finished: only when it lies somewhere else and is still this attempt's was it taken away.
        const taken = await isElsewhere(this.store, this.layout, claimed);
        if (taken && attempt === this.#attempt) await attempt?.stop("fenced");
      }
      await this.#heartbeat.renew();
      if (this.#attempt !== undefined) this.launcher().renew(this.#deadline);
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENOTDIR")) return this.#fence("its desk is gone");
      this.log.warn({ error: String(error), silence: this.#heartbeat.silence }, "missed a heartbeat");
      if (this.#heartbeat.silence > this.#deadline) {
        await this.#attempt?.stop("fenced");
      }
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
      const files = await this.#desk();
      if (files === undefined) await this.#fence("its desk is gone");
      else if (files.length === 0) await this.#idle();
      else await this.#takeAll(files);
    }
  }

  /** The desk's jobs in the order that the dispatcher wishes; undefined when the desk is gone. */
  async #desk(): Promise<string[] | undefined> {
    let names: string[];
    try {
      names = await this.store.list(this.layout.desk(this.worker));
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
      throw error;
    }
    await this.#readNotes(names);
    const files = names.filter((name) => !isLock(name) && !isIgnored(name));
    if (files.length < 2 || !names.includes(".order")) return files.sort();
    const wished = await this.store.tail(this.layout.order(this.worker), ORDER_LIMIT).catch(() => "");
    const rank = new Map(wished.split("\n").map((name, index) => [name, index]));
    return files.sort((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0) || (a < b ? -1 : 1));
  }

  async #idle(): Promise<void> {
    await this.#clearLeftovers(true);
    if (this.#heartbeat.state === "busy") {
      this.#heartbeat.say({ state: "idle", job: null });
      await this.#heartbeat.renew().catch(() => undefined);
    }
    await this.#bell.hang(this.layout.desk(this.worker));
    if (this.#idleLooks++ > 0) await this.#pause(this.settings.poll);
  }

  /** Until the bell rings, or so many seconds. */
  async #pause(seconds: number): Promise<void> {
    if (this.#rang) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => undefined;
  }

  async #takeAll(files: readonly string[]): Promise<void> {
    // Half of it done: the announcement rings at the dispatcher's, so that more arrives before the desk is empty.
    const half = files.length >> 1;
    this.#idleLooks = 0;
    if (this.#pace < LONG_JOB / 1000) this.#bell.take(this.layout.desk(this.worker));
    for (const [index, file] of files.entries()) {
      if (this.#fenced || this.#leaving !== "no") return;
      const begin = performance.now();
      const attempt = new Attempt(this, file);
      const end = await attempt.carryOut(() => this.#started(attempt, index === half));
      this.#attempt = undefined;
      this.#heartbeat.say({ job: null });
      switch (end) {
        case "done":
          this.#measure((performance.now() - begin) / 1000);
          break;
        case "passed":
          break;
        case "desk-gone":
          return this.#fence("its desk is gone");
        case "store-full":
          this.#heartbeat.say({ state: "full" });
          this.log.warn("the store is full: waiting for room");
          return this.#pause(this.settings.poll);
        default: {
          const unknown: never = end;
          throw new Error(`unknown end: ${unknown}`);
        }
      }
      await this.#clearLeftovers(false);
    }
  }

  #started(attempt: Attempt, ring: boolean): void {
    this.#attempt = attempt;
    this.#listenLater();
    const started = attempt.started.toISOString();
    this.#heartbeat.say({
      state: this.#leaving === "no" ? "busy" : "leaving",
      pace: this.#pace,
      job: { name: attempt.job, attempt: attempt.number, started },
    });
    if (ring) void this.#heartbeat.renew().catch(() => undefined);
    if (this.#leaving === "now") void attempt.stop("fired");
  }

  /** The bell is of no use to who is busy, and costs at each job that comes: it hangs when a job takes longer. */
  #listenLater(): void {
    clearTimeout(this.#listening);
    const desk = this.layout.desk(this.worker);
    this.#listening = setTimeout(() => void this.#bell.hang(desk), LONG_JOB);
  }

  #measure(seconds: number): void {
    this.#pace = this.#pace === 0 ? seconds : this.#pace * 0.8 + seconds * 0.2;
  }

  /** Between two jobs nothing but the launcher should be in its group: what a job left there is killed with it. */
  async #clearLeftovers(idle: boolean): Promise<void> {
    if (this.#launcher === undefined || this.#heartbeat.state !== "busy") return;
    const now = performance.now();
    if (!idle && now - this.#lastLeftoverLook < LEFTOVER_LOOKS) return;
    this.#lastLeftoverLook = now;
    if (!hasLeftovers(this.#launcher.pid)) return;
    this.log.info("a job left processes behind: killed");
    await this.killLauncher();
  }

  /** S4 from the worker's side: what was not started goes back; a job that arrives while it goes, too. */
  async #leave(): Promise<void> {
    const { store, layout, worker } = this;
    const desk = layout.desk(worker);
    this.#heartbeat.say({ state: "leaving", job: null });
    await this.#heartbeat.renew().catch(() => undefined);
    for (;;) {
      try {
        for (const name of await store.list(desk)) {
          const path = layout.onDesk(worker, name);
          if (isLock(name)) await removeLock(store, path);
          else if (isIgnored(name)) await store.unlink(path);
          else await putBack(store, layout, path, name);
        }
        await store.rmdir(desk);
        break;
      } catch (error) {
        if (isErrno(error, "ENOENT")) {
          if (!(await this.#deskStands())) break;
        } else if (!isErrno(error, "ENOTEMPTY", "EEXIST")) throw error;
      }
    }
    await this.#heartbeat.settle();
    await withdrawAnnouncement(store, layout, worker);
    this.log.info({ reason: this.#leavingReason }, "left");
  }

  async #deskStands(): Promise<boolean> {
    try {
      await this.store.list(this.layout.desk(this.worker));
      return true;
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENOTDIR")) return false;
      throw error;
    }
  }
}

const ORDER_LIMIT = 1024 * 1024;
