import type { Appender, Store } from "../store/store.js";
import { LEDGER_VERSION, type LedgerEvent } from "./line.js";

/**
 * Written behind a torn line. If only the newline is missing, a newline alone would make the line whole, although its event did
 * not happen.
 */
const TORN = "#\n";

/** A line that waits to be written. */
interface Waiting {
  readonly line: string;
  /** Whether the line has to be on the disk before it counts. */
  readonly counts: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The ledger that one process writes: append-only JSON lines. Events that are appended at the same time become one write. If a
 * line could not be written whole (a full disk), the next write marks the line as torn and begins behind it. Readers skip torn
 * lines.
 */
export class Ledger {
  readonly path: string;
  readonly #store: Store;
  readonly #flush: boolean;
  /** Undefined after an error: a file that was opened before a server went away may never work again (sshfs, ESTALE). */
  #appender: Appender | undefined;
  #torn: boolean;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  private constructor(store: Store, path: string, appender: Appender, flush: boolean, torn: boolean) {
    this.#store = store;
    this.path = path;
    this.#appender = appender;
    this.#flush = flush;
    this.#torn = torn;
  }

  /** @param flush whether outcomes are flushed to the disk before they count */
  static async open(store: Store, path: string, flush: boolean): Promise<Ledger> {
    const appender = await store.appender(path);
    try {
      // All commands of a person write to one ledger, and the disk may have been full when an earlier one wrote.
      const isTorn = !["", "\n"].includes(await store.tail(path, 1));
      return new Ledger(store, path, appender, flush, isTorn);
    } catch (error) {
      await appender.close().catch(() => undefined);
      throw error;
    }
  }

  /** The line of an event, without its newline, for a process that appends it in place of this one. */
  lineOf(event: LedgerEvent): string {
    const t = new Date(this.#store.clock.wall()).toISOString();
    return `{"v":${LEDGER_VERSION},"t":"${t}",${JSON.stringify(event).slice(1)}`; // a quarter of the time of a spread
  }

  /**
   * Appends one event.
   *
   * @throws when the line was not written (ENOSPC …): then the event did not happen
   */
  append(event: LedgerEvent): Promise<void> {
    const line = `${this.lineOf(event)}\n`;
    const counts = event.event === "ended" || event.event === "lost";
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line, counts, resolve, reject });
      this.#writing ??= this.#writeWaiting();
    });
  }

  /** Another process may have written a part of a line: the next write begins behind it. */
  noteTorn(): void {
    this.#torn = true;
  }

  /** Marks a torn last line, so that another process may append. @throws ErrnoException when the store takes no write */
  async mend(): Promise<void> {
    await this.#writing;
    if (this.#torn) await this.#write([]);
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#closeAppender();
  }

  async #writeWaiting(): Promise<void> {
    await undefined; // events that come in the same turn join the first one
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#write(group);
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#writing = undefined;
  }

  async #write(group: readonly Waiting[]): Promise<void> {
    const text = group.map(({ line }) => line).join("");
    try {
      this.#appender ??= await this.#store.appender(this.path);
      await this.#appender.append(this.#torn ? `${TORN}${text}` : text);
      this.#torn = false;
      if (this.#flush && group.some(({ counts }) => counts)) await this.#appender.flush();
    } catch (error) {
      this.#torn = true;
      await this.#closeAppender().catch(() => undefined);
      throw error;
    }
  }

  async #closeAppender(): Promise<void> {
    const appender = this.#appender;
    this.#appender = undefined;
    await appender?.close();
  }
}
