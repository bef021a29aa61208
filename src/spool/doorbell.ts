import path from "node:path";
import { type FSWatcher, watch } from "chokidar";
import type { Store } from "./store.js";

/**
 * Rings when something changed in a directory: a hint to look now. The scan is the truth, and a polling floor
 * stands behind every bell: on a network file system no event comes from other hosts, so there none is watched.
 *
 * chokidar is told to ignore every entry and only the directory's own raw event is heard: it does not track the
 * files. But while events come in, it lists the directory over and over, with an lstat for each entry: a bell hangs
 * only where few entries lie, and only while somebody waits for it.
 */
export class Doorbell {
  readonly #store: Store;
  readonly #ring: (dir: string, entry: string | undefined) => void;
  readonly #watchers = new Map<string, FSWatcher>();

  /** @param ring gets the directory, and the entry's name where the system tells it */
  constructor(store: Store, ring: (dir: string, entry: string | undefined) => void) {
    this.#store = store;
    this.#ring = ring;
  }

  /** Comes back when the bell hangs. True: it was hung just now, and what came before is to be looked for once. */
  async hang(dir: string): Promise<boolean> {
    if (!this.#store.rings || this.#watchers.has(dir)) return false;
    const watcher = watch(dir, {
      ignored: (entry) => entry !== dir,
      ignoreInitial: true,
      depth: 0,
      atomic: false,
      awaitWriteFinish: false,
      followSymlinks: false,
    });
    this.#watchers.set(dir, watcher);
    watcher.on("raw", (_event, entry) => this.#ring(dir, entry ? path.basename(entry) : undefined));
    await new Promise<void>((resolve) => {
      watcher.once("ready", resolve);
      // Out of watches (ENOSPC, EMFILE), or the directory went away: the polling floor goes on.
      watcher.on("error", () => resolve());
    });
    return true;
  }

  take(dir: string): void {
    const watcher = this.#watchers.get(dir);
    this.#watchers.delete(dir);
    void watcher?.close();
  }

  async stop(): Promise<void> {
    const watchers = [...this.#watchers.values()];
    this.#watchers.clear();
    await Promise.all(watchers.map((watcher) => watcher.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
