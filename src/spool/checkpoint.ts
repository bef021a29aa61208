import type { Layout } from "../project/layout.js";
import type { Store } from "./store.js";

/**
 * S6: a job that succeeded needs its checkpoint no more, and the next job of its name must not find it.
 *
 * @returns the error, if it could not be removed: that is no reason to hold up the outcome for long
 */
export async function removeCheckpoint(store: Store, layout: Layout, job: string): Promise<unknown> {
  const directory = layout.checkpointOf(job);
  try {
    if (await store.has(directory)) await store.removeTree(directory);
    return undefined;
  } catch (error) {
    return error;
  }
}
