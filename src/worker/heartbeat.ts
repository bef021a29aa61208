import type { Layout } from "../project/layout.js";
import { type Announcement, announce } from "../spool/announcement.js";
import type { Store } from "../spool/store.js";

type Said = Partial<Pick<Announcement, "state" | "pace" | "spread" | "group">> & {
  job?: Announcement["job"] | null;
};

/**
 * S7: the worker's own announcement, its counter, and when it was last renewed. Writes follow one another; what is said
 * while one is under way goes into the next.
 */
export class Heartbeat {
  readonly #store: Store;
  readonly #layout: Layout;
  #announcement: Announcement;
  #renewed: number;
  readonly #limit: number;
  #returned = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> = Promise.resolve();
  #pending: Promise<void> | undefined;
  #rings = false;

  /** @param limit of its silence, in seconds: others may declare its worker lost soon after */
  constructor(store: Store, layout: Layout, first: Announcement, limit: number) {
    this.#limit = limit;
    this.#store = store;
    this.#layout = layout;
    this.#announcement = first;
    this.#renewed = store.clock.now();
  }

  get state(): Announcement["state"] {
    return this.#announcement.state;
  }

  /** Seconds since the last heartbeat that reached the store was begun, by this process's monotonic clock. */
  get silence(): number {
    return (this.#store.clock.now() - this.#renewed) / 1000;
  }

  /** Seconds since it was heard again after a silence of more than the limit. */
  get sinceReturn(): number {
    return (this.#store.clock.now() - this.#returned) / 1000;
  }

  /** What the next heartbeat is to say; `job: null` clears it. */
  say({ job, ...said }: Said): void {
    const { job: before, ...rest } = this.#announcement;
    const now = job === undefined ? before : (job ?? undefined);
    this.#announcement = { ...rest, ...said, ...(now && { job: now }) };
  }

  /**
   * Writes it. Rejects when the store does not take it: then the beat was missed.
   *
   * @param how `ring`: the dispatcher is to look now
   */
  renew(how: "quiet" | "ring" = "quiet"): Promise<void> {
    this.#rings ||= how === "ring";
    this.#pending ??= this.#writing.then(async () => {
      this.#pending = undefined;
      this.#announcement = { ...this.#announcement, beat: this.#announcement.beat + 1 };
      const rings = this.#rings;
      this.#rings = false;
      const begin = this.#store.clock.now(); // others may have read it as early as that
      await announce(this.#store, this.#layout, this.#announcement, rings);
      if (this.silence > this.#limit) this.#returned = this.#store.clock.now();
      this.#renewed = begin;
    });
    const renewal = this.#pending;
    this.#writing = renewal.catch(() => undefined);
    return renewal;
  }

  /** Waits until nothing is being written any more. */
  async settle(): Promise<void> {
    await this.#writing;
  }
}
