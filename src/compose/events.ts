import fs from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Layout } from "../project/layout.js";
import { type LedgerLine, LedgerReader } from "../spool/ledger.js";
import { isErrno, type Store } from "../spool/store.js";

export interface EventOptions {
  /** Also what was noted before; no if not said. */
  readonly fromStart?: boolean;
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
}

/** Between two looks at the ledgers, ms. */
const LOOKS_APART = { local: 100, network: 1000 } as const;

/**
 * What happens in a project from this call on, as the ledgers tell it: of each actor in its order, of several as they are
 * read. It only looks, and goes on until `signal`.
 */
export function events(
  store: Store,
  layout: Layout,
  options: EventOptions,
): AsyncGenerator<LedgerLine, void, void> {
  const readers = new Map<string, LedgerReader>();
  // At once: an iteration begins when somebody asks for the first one.
  for (const file of options.fromStart === true ? [] : fs.readdirSync(layout.ledger)) {
    const ledger = path.join(layout.ledger, file);
    readers.set(file, new LedgerReader(ledger, fs.statSync(ledger).size));
  }
  return follow(store, layout, readers, options.signal);
}

async function* follow(
  store: Store,
  layout: Layout,
  readers: Map<string, LedgerReader>,
  signal: AbortSignal | undefined,
): AsyncGenerator<LedgerLine, void, void> {
  for (;;) {
    for (const file of await store.list(layout.ledger)) {
      if (!file.endsWith(".jsonl")) continue;
      const reader = readers.get(file) ?? new LedgerReader(path.join(layout.ledger, file));
      readers.set(file, reader);
      try {
        yield* reader.read();
      } catch (error) {
        if (!isErrno(error, "ENOENT", "ESTALE")) throw error;
      }
    }
    if (signal?.aborted) return;
    await delay(LOOKS_APART[store.kind], undefined, signal && { signal }).catch(() => undefined);
    if (signal?.aborted) return;
  }
}
