import type { Site } from "../store/site.js";

/**
 * S6: removes the checkpoint of a job that succeeded, because the next job with the same name must not find this checkpoint.
 *
 * @returns the error if the checkpoint could not be removed, because the caller must not delay the outcome for long
 */
export async function removeCheckpoint(site: Site, job: string): Promise<unknown> {
  const { store, layout } = site;
  const directory = layout.checkpointOf(job);
  try {
    if (await store.has(directory)) await store.removeTree(directory);
    return undefined;
  } catch (error) {
    return error;
  }
}
