import type { Settings } from "../project/settings.js";
import { type Announcement, announce } from "../spool/announcement.js";
import type { Site } from "../store/site.js";

/** A worker announces this when it changes. With `job: null`, no job runs. */
type Said = Partial<Pick<Announcement, "state" | "pace" | "spread" | "group">> & {
  job?: Announcement["job"] | null;
};

/** Longest time a network file system may show a stale directory entry, as a fraction of the lease: 60 s by nfs(5), of 300 s. */
const STALE_ENTRIES = 0.2;

/**
 * Seconds of silence after which a worker stops its job itself (S10): two beats less than the lease, after which others may
 * declare the worker lost. With a lease of less than four beats it is longer, so that a single late beat kills no job.
 */
export function deadlineOf({ beat, lostAfter }: Pick<Settings, "beat" | "lostAfter">): number {
  return beat * Math.max(lostAfter - 2, Math.min(lostAfter - 0.5, 2));
}

/**
 * S7: the worker's own announcement with its counter, and the time of the last renewal. One write follows another. A change
 * that is said during a write goes into the next write.
 */
export class Heartbeat {
  readonly #site: Site;
  readonly #now: () => Said;
  #announcement: Announcement;
  #renewed: number;
  #returned = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> = Promise.resolve();
  #isStopped = false;
  #pending: Promise<void> | undefined;
  #rings = false;
  /** Seconds that the heartbeat may be silent before its worker stops its job. */
  readonly deadline: number;

  /** @param now called before each write for what changes often */
  constructor(site: Site, first: Announcement, deadline: number, now: () => Said = () => ({})) {
    this.#site = site;
    this.#now = now;
    this.#announcement = first;
    this.deadline = deadline;
    this.#renewed = site.store.clock.now();
  }

  /** Seconds since the start of the last write that reached the store, by this process's monotonic clock. */
  get silence(): number {
    return (this.#site.store.clock.now() - this.#renewed) / 1000;
  }

  /** Seconds since the first heartbeat after a silence of more than the deadline; infinite when there was no such silence. */
  get sinceReturn(): number {
    return (this.#site.store.clock.now() - this.#returned) / 1000;
  }

  /** Seconds until the job must be dead unless another heartbeat is written (S10). */
  get timeLeft(): number {
    return Math.max(0.1, this.deadline - this.silence);
  }

  /**
   * Whether others may have declared the worker lost because it was silent for too long.
   *
   * @param since a time of the monotonic clock, ms. A silence that ended after this time counts too: what the worker found
   * on its desk before the silence may belong to another worker now.
   */
  mayBeTooLate(since = Number.POSITIVE_INFINITY): boolean {
    if (this.silence > this.deadline || this.#mayReadStaleEntries) return true;
    return this.sinceReturn * 1000 <= this.#site.store.clock.now() - since;
  }

  /** After a long silence the worker may have lost its desk while a cache still shows it. */
  get #mayReadStaleEntries(): boolean {
    const { store, settings } = this.#site;
    return store.kind === "network" && this.sinceReturn < settings.beat * settings.lostAfter * STALE_ENTRIES;
  }

  /** Sets what the next heartbeat announces. */
  say({ job, ...said }: Said): void {
    const { job: before, ...rest } = this.#announcement;
    const now = job === undefined ? before : (job ?? undefined);
    this.#announcement = { ...rest, ...said, ...(now && { job: now }) };
  }

  /**
   * Writes the announcement, unless the worker leaves. Rejects when the store does not take the write, and the beat counts as missed.
   *
   * @param how `ring`: wakes the dispatcher, which watches the announcements
   */
  renew(how: "quiet" | "ring" = "quiet"): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    this.#rings ||= how === "ring";
    this.#pending ??= this.#writing.then(async () => {
      this.#pending = undefined;
      this.say(this.#now());
      this.#announcement = { ...this.#announcement, beat: this.#announcement.beat + 1 };
      const rings = this.#rings;
      this.#rings = false;
      const begin = this.#site.store.clock.now(); // others may read the new beat as early as now
      await announce(this.#site, this.#announcement, rings);
      if (this.silence > this.deadline) this.#returned = this.#site.store.clock.now();
      this.#renewed = begin;
    });
    const renewal = this.#pending;
    this.#writing = renewal.catch(() => undefined);
    return renewal;
  }

  /** Writes no more announcements. Resolves when no write is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#writing;
  }
}
