import path from "node:path";
import { type FSWatcher, watch } from "chokidar";
import type { Store } from "./store.js";

/**
 * Rings when something changed in a directory: a hint to look now. The scan is the truth, and a polling floor
 * stands behind every bell: on a network file system no event comes from other hosts, so there none is watched.
 *
 * chokidar is told to ignore every entry and only the directory's own raw event is heard: it does not track the
 * files. It still lists a directory anew, at most once a second, when the bell rings: hang it on small ones only.
 */
export class Doorbell {
  readonly #watcher: FSWatcher | undefined;
  readonly #watched = new Set<string>();

  /** @param ring gets the directory, and the entry's name where the system tells it */
  constructor(store: Store, ring: (dir: string, entry: string | undefined) => void) {
    if (store.kind === "network") return;
    this.#watcher = watch([], {
      ignored: (entry) => !this.#watched.has(entry),
      ignoreInitial: true,
      depth: 0,
      atomic: false,
      awaitWriteFinish: false,
      followSymlinks: false,
    });
    this.#watcher.on("raw", (_event, entry, details) => {
      const { watchedPath } = details as { watchedPath?: string };
      if (watchedPath !== undefined) ring(watchedPath, entry ? path.basename(entry) : undefined);
    });
    // Out of watches (ENOSPC, EMFILE), or the directory went away: the polling floor goes on.
    this.#watcher.on("error", () => undefined);
  }

  hang(dir: string): void {
    if (this.#watcher === undefined || this.#watched.has(dir)) return;
    this.#watched.add(dir);
    this.#watcher.add(dir);
  }

  take(dir: string): void {
    if (this.#watched.delete(dir)) this.#watcher?.unwatch(dir);
  }

  async stop(): Promise<void> {
    await this.#watcher?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
