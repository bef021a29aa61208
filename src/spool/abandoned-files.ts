import { entryIn } from "../project/layout.js";
import type { Store } from "../store/store.js";
import { isTemporary } from "../store/temporary.js";
import { storeTime } from "./settling.js";

/** Age in ms at which fjord assumes that the writer of a temporary file is dead. */
const OLD = 24 * 60 * 60 * 1000;

/**
 * Removes the temporary files that killed processes left in `jobqueue/` or `jobheld/`. Ages are by the store's clock only.
 *
 * @param names all entries of the directory
 */
export async function removeAbandoned(store: Store, dir: string, names: readonly string[]): Promise<void> {
  const temporaries = names.filter(isTemporary);
  if (temporaries.length === 0) return;
  try {
    const now = await storeTime(store, dir);
    for (const name of temporaries) {
      const path = entryIn(dir, name);
      const { kind, ctimeMs } = await store.facts(path);
      if (kind === "file" && now - ctimeMs > OLD) await store.unlink(path);
    }
  } catch {
    // The file was renamed, the file belongs to another user, or the store failed. The next dispatcher tries again.
  }
}
