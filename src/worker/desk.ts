import { isIgnored } from "../job/name.js";
import { isCancelRequest } from "../project/entry-names.js";
import { isLock, type Note } from "../project/layout.js";
import { putBack } from "../spool/finish.js";
import { removeLock } from "../spool/lock.js";
import { ifThere } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import { isErrno } from "../store/store.js";

/** Content of the desk at one moment. */
export interface DeskView {
  /** Job files, in the order in which the worker takes them. */
  readonly files: readonly string[];
  /** Note that fires the worker. If there are two, the stronger one. */
  readonly note: Note | undefined;
  /** Names of notes that ask to cancel or to hold one job. */
  readonly cancelRequests: readonly string[];
}

/** Largest part of the desk's order that the worker reads, in bytes. */
const ORDER_LIMIT = 1024 * 1024;

/** The desk of one worker, as this worker uses it. */
export class OwnDesk {
  readonly #site: Site;
  readonly #worker: string;
  readonly path: string;

  constructor(site: Site, worker: string) {
    this.#site = site;
    this.#worker = worker;
    this.path = site.layout.desk(worker);
  }

  /** @returns undefined when the desk is gone, which means that somebody declared this worker lost (S8) */
  async read(): Promise<DeskView | undefined> {
    const names = await ifThere(this.#site.store.list(this.path));
    if (names === undefined) return undefined;
    const note = names.includes(".fire-now") ? "fire-now" : names.includes(".fire") ? "fire" : undefined;
    const cancelRequests = names.filter((name) => isCancelRequest(name));
    const files = names.filter((name) => !isLock(name) && !isIgnored(name)).sort();
    if (files.length < 2 || !names.includes(".order")) return { files, note, cancelRequests };
    const wished = await this.#site.store
      .tail(this.#site.layout.order(this.#worker), ORDER_LIMIT)
      .catch(() => "");
    const rank = new Map(wished.split("\n").map((name, index) => [name, index]));
    return { files: files.sort((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0)), note, cancelRequests };
  }

  /**
   * S4: puts all jobs back into the queue, also those that arrive meanwhile, and removes the desk. After that nobody can
   * move a job to it.
   */
  async clear(): Promise<void> {
    for (;;) {
      const names = await ifThere(this.#site.store.list(this.path));
      if (names === undefined) return;
      for (const name of names) await this.#putAway(name);
      try {
        return await this.#site.store.rmdir(this.path);
      } catch (error) {
        if (!isErrno(error, "ENOENT", "ENOTEMPTY", "EEXIST")) throw error;
      }
    }
  }

  async #putAway(name: string): Promise<void> {
    const path = this.#site.layout.onDesk(this.#worker, name);
    if (isLock(name)) return removeLock(this.#site.store, path);
    if (!isIgnored(name)) return void (await putBack(this.#site, path, name));
    await ifThere(this.#site.store.unlink(path));
  }
}
