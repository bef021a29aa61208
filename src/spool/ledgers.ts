import fs from "node:fs";
import { isLedger, type Layout } from "../project/layout.js";
import { type LedgerLine, LedgerReader } from "./ledger.js";
import { isErrno, type Store } from "./store.js";

/**
 * All ledgers of a project as they grow. They are read one after the other, by name, not in the order of time; those that
 * come later are read from their beginning, and one that goes while it is read is passed over.
 */
export class Ledgers {
  readonly #store: Store;
  readonly #layout: Layout;
  readonly #readers = new Map<string, LedgerReader>();

  /** @param from `now`: what they tell at this moment is not read any more */
  constructor(store: Store, layout: Layout, from: "start" | "now" = "start") {
    this.#store = store;
    this.#layout = layout;
    if (from === "now") this.#passOver();
  }

  /** The whole lines that came since the last time. One reading at a time. */
  async *read(): AsyncGenerator<LedgerLine, void, void> {
    for (const file of (await this.#store.list(this.#layout.ledger)).filter(isLedger).sort()) {
      const reader =
        this.#readers.get(file) ?? new LedgerReader(this.#layout.ledgerFile(file), 0, this.#store);
      this.#readers.set(file, reader);
      try {
        yield* reader.read();
      } catch (error) {
        // ESTALE is trouble: who decides by what he has read must not take it for all that there is.
        if (!isErrno(error, "ENOENT")) throw error;
      }
    }
  }

  /** Synchronous: what is noted once the constructor has returned is read. */
  #passOver(): void {
    for (const file of fs.readdirSync(this.#layout.ledger).filter(isLedger)) {
      const ledger = this.#layout.ledgerFile(file);
      const stat = fs.statSync(ledger, { throwIfNoEntry: false });
      if (stat !== undefined) this.#readers.set(file, new LedgerReader(ledger, stat.size, this.#store));
    }
  }
}
