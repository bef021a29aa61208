import fs from "node:fs";
import { isLedger } from "../project/layout.js";
import type { Site } from "../store/site.js";
import { isErrno } from "../store/store.js";
import type { LedgerLine } from "./line.js";
import { LedgerReader } from "./reader.js";

/**
 * Reads all ledgers of a project as they grow. The ledgers are read one after the other by name, not in the order of time. A
 * ledger that appears later is read from its beginning. A ledger that disappears is skipped.
 */
export class Ledgers {
  readonly #site: Site;
  readonly #readers = new Map<string, LedgerReader>();

  /** @param from `now` skips the lines that already exist */
  constructor(site: Site, from: "start" | "now" = "start") {
    this.#site = site;
    if (from === "now") this.#passOver();
  }

  /**
   * Returns the whole lines that were appended since the last call. The caller must finish one iteration before it begins the
   * next.
   */
  async *read(): AsyncGenerator<LedgerLine, void, void> {
    for (const file of (await this.#site.store.list(this.#site.layout.ledger)).filter(isLedger).sort()) {
      const reader =
        this.#readers.get(file) ?? new LedgerReader(this.#site.layout.ledgerFile(file), 0, this.#site.store);
      this.#readers.set(file, reader);
      try {
        yield* reader.read();
      } catch (error) {
        // ESTALE is thrown, because a caller must not decide by a part of the lines.
        if (!isErrno(error, "ENOENT")) throw error;
      }
    }
  }

  /** This is synchronous, so that `read` returns every line that is appended after the constructor has returned. */
  #passOver(): void {
    for (const file of fs.readdirSync(this.#site.layout.ledger).filter(isLedger)) {
      const ledger = this.#site.layout.ledgerFile(file);
      const stat = fs.statSync(ledger, { throwIfNoEntry: false });
      if (stat !== undefined) this.#readers.set(file, new LedgerReader(ledger, stat.size, this.#site.store));
    }
  }
}
