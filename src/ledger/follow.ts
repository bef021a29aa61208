import type { Clock } from "../store/clock.js";
import type { Site } from "../store/site.js";
import { Ledgers } from "./ledgers.js";
import type { LedgerLine } from "./line.js";

export interface EventOptions {
  /** Whether to begin with all events so far. By default, the iteration gives only events after the call. */
  readonly fromStart?: boolean;
  /** A signal that ends the iteration. */
  readonly signal?: AbortSignal;
}

/** Time between two polls of the ledgers, ms, by kind of store. */
const LOOKS_APART = { local: 100, network: 1000 } as const;

/**
 * Events in a project from this call on, read from the ledgers until `signal` aborts. Events of one process come in their order.
 * Events of several processes come in the order of reading. The function writes no file.
 */
export function events(site: Site, options: EventOptions): AsyncGenerator<LedgerLine, void, void> {
  const { store } = site;
  // The reader is made here, because the body of a generator begins only when the caller asks for the first event.
  const ledgers = new Ledgers(site, options.fromStart === true ? "start" : "now");
  return follow(ledgers, store.clock, LOOKS_APART[store.kind], options.signal);
}

async function* follow(
  ledgers: Ledgers,
  clock: Clock,
  apart: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<LedgerLine, void, void> {
  for (;;) {
    yield* ledgers.read();
    if (signal?.aborted) return;
    await clock.sleep(apart, signal);
    if (signal?.aborted) return;
  }
}
