import { isLock } from "../project/layout.js";
import { listAnnounced, livenessOfWorker, readAnnouncement } from "../spool/announcement.js";
import { removeLock } from "../spool/lock.js";
import { type Reclaimed, type Reclaimer, reclaimWorker } from "../spool/reclaim.js";
import type { Desk, Desks, HandedOut } from "./desks.js";
import { RollCall, type Sighting } from "./roll-call.js";

/** A worker that was declared lost, and what became of its jobs. */
export interface LostWorker {
  readonly worker: string;
  readonly reason: string;
  readonly jobs: readonly Reclaimed[];
}

/** A worker whose heartbeat has been missed so often gets no further jobs. */
const SUSPECT_LOOKS = 2;

/** S8 at the edge: looks at announcements and desks, has the roll called, and takes back what lost workers held. */
export class Attendance {
  readonly #reclaimer: Reclaimer;
  readonly #desks: Desks;
  readonly #rollCall: RollCall;
  readonly #resolve: (job: HandedOut, worker: string) => Promise<void>;

  /**
   * @param beat seconds between two looks that count @param looks at an unmoved heartbeat, until its worker is lost
   * @param resolve told of each job that has left its desk, and whose desk that was
   */
  constructor(
    reclaimer: Reclaimer,
    desks: Desks,
    beat: number,
    looks: number,
    resolve: (job: HandedOut, worker: string) => Promise<void>,
  ) {
    this.#reclaimer = reclaimer;
    this.#desks = desks;
    this.#rollCall = new RollCall(beat, looks);
    this.#resolve = resolve;
  }

  isSuspect(worker: string): boolean {
    return this.#rollCall.unmovedLooks(worker) >= SUSPECT_LOOKS;
  }

  /** Reads one worker's announcement and desk. */
  async look(worker: string): Promise<Desk> {
    const { store, layout } = this.#reclaimer;
    const desk = this.#desks.of(worker);
    desk.announcement = (await readAnnouncement(store, layout, worker)) ?? undefined;
    for (const job of await this.#desks.look(desk)) await this.#resolve(job, worker);
    return desk;
  }

  /** Reads every announcement and every desk; declares lost who is. */
  async call(): Promise<LostWorker[]> {
    const { store, layout } = this.#reclaimer;
    const began = store.clock.now();
    const workers = new Set(await listAnnounced(store, layout));
    const fenced: string[] = [];
    const pulses: string[] = [];
    for (const entry of await store.list(layout.jobpod)) {
      const kind = layout.deskKind(entry);
      if (kind?.kind === "desk") workers.add(kind.worker);
      else if (kind?.kind === "fenced") fenced.push(kind.worker);
      const ofPulse = layout.workerOfPulse(entry);
      if (ofPulse !== undefined) pulses.push(ofPulse);
    }
    // Of a zombie that was killed after it had been cleared away; nothing else would lead here any more.
    for (const worker of pulses) {
      if (!workers.has(worker)) await store.unlink(layout.pulse(worker)).catch(() => undefined);
    }
    for (const { worker } of this.#desks.all) if (!workers.has(worker)) await this.#forget(worker);
    const sightings: Sighting[] = [];
    for (const worker of workers) {
      const { announcement, stands } = await this.look(worker);
      if (announcement === undefined && !stands && !(await this.#isFirstWord(worker))) {
        await this.#forget(worker); // just gone; or a file of somebody else's, which is neither of the two
        continue;
      }
      sightings.push({
        worker,
        beat: announcement?.beat ?? -1,
        liveness: announcement ? await livenessOfWorker(store, layout, announcement) : "unknown",
      });
    }
    const lost = this.#rollCall.call(sightings, began / 1000, store.clock.now() / 1000);
    // Somebody fenced it and was killed before all was taken back.
    for (const worker of fenced) {
      if (lost.some((one) => one.worker === worker) || !(await this.#isDesk(layout.fencedDesk(worker))))
        continue;
      lost.push({ worker, reason: "its desk was found fenced" });
    }
    const gone: LostWorker[] = [];
    for (const { worker, reason } of lost) {
      if (await this.#isBack(worker)) continue;
      const jobs = await reclaimWorker(
        this.#reclaimer,
        worker,
        this.#desks.get(worker)?.announcement,
        reason,
      );
      await this.#forget(worker);
      gone.push({ worker, reason, jobs });
    }
    return gone;
  }

  /** S4: a dispatcher that was killed while it moved a job has left its lock there, and the worker cannot claim. */
  async removeLocksOfDispatchers(): Promise<void> {
    const { store, layout } = this.#reclaimer;
    for (const { worker } of this.#desks.all) {
      for (const entry of await store.list(layout.desk(worker)).catch(() => [])) {
        if (!isLock(entry)) continue;
        const lock = layout.onDesk(worker, entry);
        const holder = await store.tail(lock, 1024).catch(() => "");
        if (layout.isDispatcher(holder.trim())) await removeLock(store, lock);
      }
    }
  }

  /** Empty, a worker has just begun to write it, or was killed when it did: its beat will not move. */
  async #isFirstWord(worker: string): Promise<boolean> {
    const { store, layout } = this.#reclaimer;
    const facts = await store.facts(layout.announcement(worker)).catch(() => undefined);
    return facts?.kind === "file" && facts.size === 0;
  }

  /** Whether it has been heard since the look at it: that may have been long ago, if the store has stalled meanwhile. */
  async #isBack(worker: string): Promise<boolean> {
    const before = this.#desks.get(worker)?.announcement;
    if (before === undefined) return false;
    const { store, layout } = this.#reclaimer;
    const now = await readAnnouncement(store, layout, worker);
    return now !== undefined && now.beat !== before.beat;
  }

  async #isDesk(path: string): Promise<boolean> {
    const facts = await this.#reclaimer.store.facts(path).catch(() => undefined);
    return facts?.kind === "directory";
  }

  async #forget(worker: string): Promise<void> {
    for (const job of this.#desks.remove(worker)) await this.#resolve(job, worker);
  }
}
