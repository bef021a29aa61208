import { setTimeout as delay } from "node:timers/promises";
import type { Layout } from "../project/layout.js";
import type { LedgerLine } from "../spool/ledger.js";
import { Ledgers } from "../spool/ledgers.js";
import type { Store } from "../spool/store.js";

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
  // Made at once: an iteration begins when somebody asks for the first event.
  const ledgers = new Ledgers(store, layout, options.fromStart === true ? "start" : "now");
  return follow(ledgers, LOOKS_APART[store.kind], options.signal);
}

async function* follow(
  ledgers: Ledgers,
  apart: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<LedgerLine, void, void> {
  for (;;) {
    yield* ledgers.read();
    if (signal?.aborted) return;
    await delay(apart, undefined, signal && { signal }).catch(() => undefined);
    if (signal?.aborted) return;
  }
}
