import { once } from "node:events";
import fs from "node:fs";
import type { EndedJob } from "../run/ended-jobs.js";

/** Prints the logs of jobs, each as a whole, and no faster than they are read. */
export class Printer {
  readonly #order: readonly string[] | undefined;
  /** Logs of ended jobs that wait for their turn to be printed. */
  readonly #logs = new Map<string, string>();
  readonly #makeRoom: () => void;
  readonly #givenUp = new AbortController();
  #next = 0;
  #printing: Promise<void> = Promise.resolve();

  /**
   * @param order names of the jobs in the order in which to print them; undefined for the order in which they end
   * @param makeRoom is called before each log
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

  /** Prints the logs that still wait because an earlier job did not end. Resolves when all logs are printed. */
  async end(): Promise<void> {
    for (const job of this.#order?.slice(this.#next) ?? []) {
      const log = this.#logs.get(job);
      if (log !== undefined) this.#add(log);
    }
    await this.#printing;
  }

  /** Stops printing, because nobody reads the output any more. */
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
      if (signal.aborted) return;
      if (!process.stdout.write(chunk)) await once(process.stdout, "drain", { signal });
    }
  }
}
