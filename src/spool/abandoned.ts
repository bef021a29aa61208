import type { Layout } from "../project/layout.js";
import { storeTime } from "./settling.js";
import type { Store } from "./store.js";
import { isTemporary } from "./temporary.js";

/** ms after which nobody is taken to be still writing one. */
const OLD = 24 * 60 * 60 * 1000;

/**
 * Removes what submitters and dispatchers that were killed have left in the queue. Ages are by the store's clock alone.
 *
 * @param names of all that lies there
 */
export async function removeAbandoned(store: Store, layout: Layout, names: readonly string[]): Promise<void> {
  const temporaries = names.filter(isTemporary);
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
