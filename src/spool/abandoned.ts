import type { Layout } from "../project/layout.js";
import { storeTime } from "./settling.js";
import type { Store } from "./store.js";

/** What `submit` writes a job to before it is renamed, and probes: a UUID of version 4. */
const TEMPORARY = /^\.[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.tmp$/;
/** ms after which nobody is taken to be still writing one. */
const OLD = 24 * 60 * 60 * 1000;

/**
 * Removes what submitters and dispatchers that were killed have left in the queue. Ages are by the store's clock alone.
 *
 * @param names of all that lies there
 */
export async function removeAbandoned(store: Store, layout: Layout, names: readonly string[]): Promise<void> {
  const temporaries = names.filter((name) => TEMPORARY.test(name));
  if (temporaries.length === 0) return;
  try {
    const now = await storeTime(store, layout.jobqueue);
    for (const name of temporaries) {
      const path = layout.queued(name);
      const { kind, ctimeMs } = await store.facts(path);
      if (kind === "file" && now - ctimeMs > OLD) await store.unlink(path);
    }
  } catch {
    // renamed meanwhile, another's, or the store has trouble: the next dispatcher finds what is left
  }
}
