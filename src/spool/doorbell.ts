import path from "node:path";
import { watch } from "chokidar";
import type { Store, Watch, Watching } from "./store.js";

/**
 * Seconds between two looks at a directory. Where no bell rings a job waits for two of them, the dispatcher's at the queue and its
 * worker's at the desk: both together take no longer than `poll`.
 */
export function lookEvery(store: Store, poll: number): number {
  return store.rings ? poll : poll / 2;
}

/**
 * Rings when something changed in a directory: a hint to look now. The scan is the truth, and a polling floor
 * stands behind every bell: on a network file system no event comes from other hosts, so there none is watched.
 */
export class Doorbell {
  readonly #store: Store;
  readonly #ring: (dir: string, entry: string | undefined) => void;
  readonly #watching = new Map<string, Watching>();

  /** @param ring gets the directory, and the entry's name where the system tells it */
  constructor(store: Store, ring: (dir: string, entry: string | undefined) => void) {
    this.#store = store;
    this.#ring = ring;
  }

  /** Comes back when the bell hangs. True: it was hung just now, and what came before is to be looked for once. */
  async hang(dir: string): Promise<boolean> {
    if (!this.#store.rings || this.#watching.has(dir)) return false;
    const watching = (this.#store.watch ?? watchAsSystem)(dir, (entry) => this.#ring(dir, entry));
    this.#watching.set(dir, watching);
    await watching.ready;
    return true;
  }

  take(dir: string): void {
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
 * chokidar is told to ignore every entry and only the directory's own raw event is heard: it does not track the
 * files. Yet at an event it lists the directory, with an lstat for each entry, before it tells: it is kept from that, where it
 * can be (a private method of chokidar 5). A bell hangs only where few entries lie, and only while somebody waits for it.
 */
const watchAsSystem: Watch = (dir, ring) => {
  const watcher = watch(dir, {
    ignored: (entry) => entry !== dir,
    ignoreInitial: true,
    depth: 0,
    atomic: false,
    awaitWriteFinish: false,
    followSymlinks: false,
  });
  watcher.on("raw", (_event, entry) => ring(entry ? path.basename(entry) : undefined));
  const ready = new Promise<void>((resolve) => {
    watcher.once("ready", () => {
      Object.assign(watcher, { _readdirp: () => undefined });
      resolve();
    });
    // Out of watches (ENOSPC, EMFILE), or the directory went away: the polling floor goes on.
    watcher.on("error", () => resolve());
  });
  return { ready, close: () => watcher.close() };
};
