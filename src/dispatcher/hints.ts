import { workerOfAnnouncement } from "../project/entry-names.js";
import { Doorbell } from "../store/doorbell.js";
import type { Site } from "../store/site.js";

/**
 * Largest number of entries in a directory that fjord watches. The library lists a watched directory at each event, so fjord only
 * polls a longer directory.
 */
const WATCHABLE = 100;

/**
 * File events in the queue and among the workers' announcements. An event is only a hint to list a directory earlier. Only the
 * listing counts.
 */
export class Hints {
  readonly #site: Site;
  readonly #doorbell: Doorbell;
  readonly #workers = new Set<string>();
  #hearsWorkers = true;

  /** @param onQueue is called when the queue may have changed @param wake is called after each hint */
  constructor(site: Site, onQueue: () => void, wake: () => void) {
    const { store, layout } = site;
    this.#site = site;
    this.#doorbell = new Doorbell(store, (dir, entry) => {
      if (dir === layout.jobqueue) onQueue();
      else {
        const worker = entry === undefined ? undefined : workerOfAnnouncement(entry);
        if (worker === undefined) return;
        this.#workers.add(worker);
      }
      wake();
    });
  }

  /** Whether an event comes when a worker's announcement changes. If not, the dispatcher looks at all desks at fixed times. */
  get hearsWorkers(): boolean {
    return this.#hearsWorkers;
  }

  get hasWorkers(): boolean {
    return this.#workers.size > 0;
  }

  /** Returns the workers whose announcement has changed since the last call. */
  takeWorkers(): string[] {
    const workers = [...this.#workers];
    this.#workers.clear();
    return workers;
  }

  /** Watches the directory of announcements, unless it is too long. */
  async watchWorkers(count: number): Promise<void> {
    const { store, layout } = this.#site;
    this.#hearsWorkers = store.rings && count <= WATCHABLE;
    if (this.#hearsWorkers) await this.#doorbell.listen(layout.workerqueue);
    else this.#doorbell.ignore(layout.workerqueue);
  }

  /** Watches the queue, unless it is too long. @returns true when the watch began just now, so that one more listing is needed */
  async watchQueue(length: number): Promise<boolean> {
    const { jobqueue } = this.#site.layout;
    if (length <= WATCHABLE) return this.#doorbell.listen(jobqueue);
    this.#doorbell.ignore(jobqueue);
    return false;
  }

  async stop(): Promise<void> {
    await this.#doorbell.stop();
  }
}
