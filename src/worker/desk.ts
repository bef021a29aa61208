import { isIgnored } from "../job/name.js";
import { isLock, type Layout, type Note } from "../project/layout.js";
import { putBack } from "../spool/finish.js";
import { removeLock } from "../spool/lock.js";
import { isErrno, type Store } from "../spool/store.js";

/** What lies on the desk. */
export interface DeskView {
  /** Jobs, in the order in which they are to be taken. */
  readonly files: readonly string[];
  /** The strongest one. */
  readonly note: Note | undefined;
  /** Names of notes that ask for something about one job. */
  readonly asks: readonly string[];
}

const ORDER_LIMIT = 1024 * 1024;

/** The worker's own desk, seen from its side. */
export class OwnDesk {
  readonly #store: Store;
  readonly #layout: Layout;
  readonly #worker: string;
  readonly path: string;

  constructor(store: Store, layout: Layout, worker: string) {
    this.#store = store;
    this.#layout = layout;
    this.#worker = worker;
    this.path = layout.desk(worker);
  }

  /** Undefined: the desk is gone, so somebody has declared this worker lost (S8). */
  async look(): Promise<DeskView | undefined> {
    let names: string[];
    try {
      names = await this.#store.list(this.path);
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
      throw error;
    }
    const note = names.includes(".fire-now") ? "fire-now" : names.includes(".fire") ? "fire" : undefined;
    const asks = names.filter((name) => this.#layout.isAsk(name));
    const files = names.filter((name) => !isLock(name) && !isIgnored(name)).sort();
    if (files.length < 2 || !names.includes(".order")) return { files, note, asks };
    const wished = await this.#store.tail(this.#layout.order(this.#worker), ORDER_LIMIT).catch(() => "");
    const rank = new Map(wished.split("\n").map((name, index) => [name, index]));
    return { files: files.sort((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0)), note, asks };
  }

  /**
   * S4 from the worker's side: what was not started goes back to the queue, also what arrives meanwhile, and then the desk
   * goes. A rename into it finds nothing from then on.
   */
  async clear(): Promise<void> {
    for (;;) {
      let names: string[];
      try {
        names = await this.#store.list(this.path);
      } catch (error) {
        if (isErrno(error, "ENOENT", "ENOTDIR")) return;
        throw error;
      }
      for (const name of names) await this.#putAway(name);
      try {
        return await this.#store.rmdir(this.path);
      } catch (error) {
        if (!isErrno(error, "ENOENT", "ENOTEMPTY", "EEXIST")) throw error;
      }
    }
  }

  async #putAway(name: string): Promise<void> {
    const path = this.#layout.onDesk(this.#worker, name);
    if (isLock(name)) return removeLock(this.#store, path);
    if (!isIgnored(name)) return void (await putBack(this.#store, this.#layout, path, name));
    await this.#store.unlink(path).catch((error) => {
      if (!isErrno(error, "ENOENT", "ENOTDIR")) throw error;
    });
  }
}
