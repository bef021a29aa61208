import path from "node:path";
import { watch } from "chokidar";
import type { Store, Watch, Watching } from "./store.js";

/**
 * Seconds between two listings of a directory. Without events a job waits for two listings: the dispatcher lists the queue, then
 * the worker lists its desk. So each listing gets half of the polling time.
 */
export function lookEvery(store: Store, poll: number): number {
  return store.rings ? poll : poll / 2;
}

/**
 * Calls back when something may have changed in a directory. An event is only a hint to list the directory sooner: every caller
 * also polls. On a network file system no event comes from other hosts, so the doorbell watches nothing there.
 */
export class Doorbell {
  readonly #store: Store;
  readonly #ring: (dir: string, entry: string | undefined) => void;
  readonly #watching = new Map<string, Watching>();

  /** @param ring is called with the directory, and with the name of the entry if the system reports the name */
  constructor(store: Store, ring: (dir: string, entry: string | undefined) => void) {
    this.#store = store;
    this.#ring = ring;
  }

  /**
   * Starts to watch a directory, and returns when the system reports its events.
   *
   * @returns whether the watch is new. If so, the caller must list the directory once, because earlier changes cause no event.
   */
  async listen(dir: string): Promise<boolean> {
    if (!this.#store.rings || this.#watching.has(dir)) return false;
    const watching = (this.#store.watch ?? watchAsSystem)(dir, (entry) => this.#ring(dir, entry));
    this.#watching.set(dir, watching);
    await watching.ready;
    return true;
  }

  /** Stops watching a directory. */
  ignore(dir: string): void {
    const watching = this.#watching.get(dir);
    this.#watching.delete(dir);
    void watching?.close();
  }

  async stop(): Promise<void> {
    const all = [...this.#watching.values()];
    this.#watching.clear();
    await Promise.all(all.map((watching) => watching.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/**
 * Only the raw events of the directory are used. The option `ignored` keeps chokidar from tracking (and watching) each entry.
 *
 * chokidar still lists the directory after each burst of events and calls lstat for every entry. No option prevents this, so no
 * caller may watch a directory with many entries. The dispatcher polls a directory of more than `WATCHABLE` entries.
 */
const watchAsSystem: Watch = (dir, ring) => {
  const watcher = watch(dir, {
    ignored: (entry) => entry !== dir,
    ignoreInitial: true,
    depth: 0,
    atomic: false,
    followSymlinks: false,
  });
  watcher.on("raw", (_event, entry) => ring(entry ? path.basename(entry) : undefined));
  const ready = new Promise<void>((resolve) => {
    watcher.once("ready", () => resolve());
    // The system has no free watches (ENOSPC, EMFILE), or the directory is gone. The caller goes on polling.
    watcher.on("error", () => resolve());
  });
  return { ready, close: () => watcher.close() };
};
