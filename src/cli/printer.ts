import { once } from "node:events";
import fs from "node:fs";
import type { EndedJob } from "../compose/ended-jobs.js";

/** Prints what jobs printed, each as a whole, as fast as it is read. */
export class Printer {
  readonly #order: readonly string[] | undefined;
  /** Of jobs that have ended and wait for their turn. */
  readonly #logs = new Map<string, string>();
  readonly #makeRoom: () => void;
  readonly #givenUp = new AbortController();
  #next = 0;
  #printing: Promise<void> = Promise.resolve();

  /**
   * @param order in which they are to be printed; undefined: as they end
   * @param makeRoom called before each
   */
  constructor(order: readonly string[] | undefined, makeRoom: () => void) {
    this.#order = order;
    this.#makeRoom = makeRoom;
  }

  print({ job, log }: EndedJob): void {
    if (this.#order === undefined) {
      this.#add(log);
      return;
    }
    this.#logs.set(job, log);
    for (; this.#next < this.#order.length; this.#next++) {
      const next = this.#logs.get(this.#order[this.#next] ?? "");
      if (next === undefined) return;
      this.#add(next);
    }
  }

  /** Prints what waits for jobs that never ended, and comes back when all is printed. */
  async end(): Promise<void> {
    for (const job of this.#order?.slice(this.#next) ?? []) {
      const log = this.#logs.get(job);
      if (log !== undefined) this.#add(log);
    }
    await this.#printing;
  }

  /** Nobody reads any more. */
  giveUp(): void {
    this.#givenUp.abort();
  }

  #add(log: string): void {
    this.#printing = this.#printing.then(() => this.#printFile(log)).catch(() => undefined);
  }

  async #printFile(file: string): Promise<void> {
    const { signal } = this.#givenUp;
    if (signal.aborted) return;
    this.#makeRoom();
    for await (const chunk of fs.createReadStream(file)) {
      if (!process.stdout.write(chunk)) await once(process.stdout, "drain", { signal });
    }
  }
}
