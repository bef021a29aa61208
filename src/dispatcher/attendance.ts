import { deskKind, isDispatcherId, workerOfPulse } from "../project/entry-names.js";
import { isLock } from "../project/layout.js";
import { listAnnounced, livenessOfWorker, readAnnouncement } from "../spool/announcement.js";
import { recoverEdits } from "../spool/edit-mark.js";
import { removeLock } from "../spool/lock.js";
import { type Reclaimed, type Reclaimer, reclaimWorker } from "../spool/reclaim.js";
import { factsIfReadable, factsIfThere } from "../store/file-facts.js";
import type { Soon } from "../store/store.js";
import type { Desk, Desks, HandedOut } from "./desks.js";
import { type Lost, RollCall, type Sighting } from "./roll-call.js";

/** A worker that was declared lost, and the directories to which its jobs went. */
export interface LostWorker extends Lost {
  readonly jobs: readonly Reclaimed[];
}

/** Result of a roll call. */
export interface Called {
  readonly lost: readonly LostWorker[];
  /** Files of jobs that went back to the queue, because the processes that edited them are dead. */
  readonly unheld: readonly string[];
}

/** The worker entries that a listing shows. */
interface Listed {
  /** Workers with an announcement or a desk. */
  readonly workers: Set<string>;
  /** Workers whose fenced desk still exists. The process that fenced the desk was killed before it had taken back all jobs. */
  readonly fenced: readonly string[];
  /** Entries of the directory of desks. */
  readonly entries: readonly string[];
}

/** Number of looks in a row that find the same heartbeat counter before a worker gets no further jobs. */
const SUSPECT_LOOKS = 2;

/**
 * S8: the roll call reads the announcement and the desk of every worker, once a beat. It declares workers lost, and takes their
 * jobs back.
 */
export class Attendance {
  readonly #reclaimer: Reclaimer;
  readonly #desks: Desks;
  readonly #rollCall: RollCall;
  readonly #onLeft: (job: HandedOut, worker: string) => Soon<void>;

  /** @param onLeft is called for each job that has left its desk, with the worker of that desk */
  constructor(reclaimer: Reclaimer, desks: Desks, onLeft: (job: HandedOut, worker: string) => Soon<void>) {
    const { beat, lostAfter } = reclaimer.settings;
    this.#reclaimer = reclaimer;
    this.#desks = desks;
    this.#rollCall = new RollCall(beat, lostAfter);
    this.#onLeft = onLeft;
  }

  /** Whether a worker gets no further jobs for now. */
  isSuspect(worker: string): boolean {
    return this.#rollCall.unmovedLooks(worker) >= SUSPECT_LOOKS;
  }

  /** Reads the announcement and the desk of one worker. */
  async readDesk(worker: string): Promise<Desk> {
    const desk = this.#desks.of(worker);
    desk.announcement = (await readAnnouncement(this.#reclaimer, worker)) ?? undefined;
    for (const job of await this.#desks.list(desk)) {
      const resolved = this.#onLeft(job, worker);
      if (resolved instanceof Promise) await resolved;
    }
    return desk;
  }

  /** Calls the roll: reads all announcements and desks, reclaims lost workers, and ends the edits of dead processes (S4). */
  async call(): Promise<Called> {
    const { store, layout } = this.#reclaimer;
    const began = store.clock.now();
    const { workers, fenced, entries } = await this.#list();
    for (const { worker } of this.#desks.all) if (!workers.has(worker)) await this.#forget(worker);
    const sightings: Sighting[] = [];
    for (const worker of workers) {
      const sighting = await this.#see(worker);
      if (sighting !== undefined) sightings.push(sighting);
    }
    const lost = this.#rollCall.call(sightings, began / 1000, store.clock.now() / 1000);
    for (const worker of fenced) {
      if (lost.some((one) => one.worker === worker) || !(await this.#isDesk(layout.fencedDesk(worker))))
        continue;
      lost.push({ worker, reason: "its desk was found fenced" });
    }
    const reclaimed: LostWorker[] = [];
    for (const one of lost) {
      if (await this.#isBack(one.worker)) continue;
      reclaimed.push({ ...one, jobs: await this.#reclaim(one) });
    }
    return { lost: reclaimed, unheld: await recoverEdits(this.#reclaimer, entries) };
  }

  /** S4: removes the locks of dispatchers that were killed while they moved a job. Their workers could not claim these jobs. */
  async removeLocksOfDispatchers(): Promise<void> {
    const { store, layout } = this.#reclaimer;
    for (const { worker } of this.#desks.all) {
      for (const entry of await store.list(layout.desk(worker)).catch(() => [])) {
        if (!isLock(entry)) continue;
        const lock = layout.onDesk(worker, entry);
        const holder = await store.tail(lock, 1024).catch(() => "");
        if (isDispatcherId(holder.trim())) await removeLock(store, lock);
      }
    }
  }

  async #list(): Promise<Listed> {
    const { store, layout } = this.#reclaimer;
    const workers = new Set(await listAnnounced(this.#reclaimer));
    const fenced: string[] = [];
    const pulses: string[] = [];
    const entries = await store.list(layout.jobpod);
    for (const entry of entries) {
      const kind = deskKind(entry);
      if (kind?.kind === "desk") workers.add(kind.worker);
      else if (kind?.kind === "fenced") fenced.push(kind.worker);
      const ofPulse = workerOfPulse(entry);
      if (ofPulse !== undefined) pulses.push(ofPulse);
    }
    // Removes a pulse, the second name of an announcement, whose worker has neither announcement nor desk. A worker that was
    // declared lost may have written the pulse before it was killed. No other step finds this file.
    for (const worker of pulses) {
      if (!workers.has(worker)) await store.unlink(layout.pulse(worker)).catch(() => undefined);
    }
    return { workers, fenced, entries };
  }

  /** Looks at one worker. @returns undefined when the worker has just left, or the entry is neither an announcement nor a desk */
  async #see(worker: string): Promise<Sighting | undefined> {
    const { announcement, stands } = await this.readDesk(worker);
    if (announcement === undefined && !stands && !(await this.#isBeingAnnounced(worker))) {
      await this.#forget(worker);
      return undefined;
    }
    return {
      worker,
      beat: announcement?.beat ?? -1,
      liveness: announcement ? await livenessOfWorker(this.#reclaimer, announcement) : "unknown",
    };
  }

  /**
   * Whether the announcement is empty. The worker has just begun to write it, or was killed while it wrote. If it was killed, the
   * counter never changes.
   */
  async #isBeingAnnounced(worker: string): Promise<boolean> {
    const { store, layout } = this.#reclaimer;
    const facts = await factsIfReadable(store, layout.announcement(worker));
    return facts?.kind === "file" && facts.size === 0;
  }

  /** Whether the heartbeat counter has changed since the look. The store may have stalled since then, so the look may be old. */
  async #isBack(worker: string): Promise<boolean> {
    const before = this.#desks.get(worker)?.announcement;
    if (before === undefined) return false;
    const now = await readAnnouncement(this.#reclaimer, worker);
    return now !== undefined && now.beat !== before.beat;
  }

  /** @throws ErrnoException when the store has trouble, since there may be jobs on the desk */
  async #isDesk(path: string): Promise<boolean> {
    const facts = await factsIfThere(this.#reclaimer.store, path);
    return facts?.kind === "directory";
  }

  async #reclaim({ worker, reason }: Lost): Promise<readonly Reclaimed[]> {
    const announcement = this.#desks.get(worker)?.announcement;
    const jobs = await reclaimWorker(this.#reclaimer, worker, announcement, reason);
    await this.#forget(worker);
    return jobs;
  }

  async #forget(worker: string): Promise<void> {
    for (const job of this.#desks.remove(worker)) await this.#onLeft(job, worker);
  }
}
