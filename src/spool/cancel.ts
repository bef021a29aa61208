import { renameIfThere } from "../store/file-facts.js";
import type { Site } from "../store/site.js";

/** `cancel` ends a job for good. `hold` keeps a job from being run until somebody releases it. */
export type CancelOrHold = "cancel" | "hold";

/** Directory to which `cancel` and `hold` move a job. */
const ROOM = { cancel: "jobcancelled", hold: "jobheld" } as const;

/**
 * S4: cancels or holds a job that has not begun, with one rename. A job that runs is cancelled by its worker
 * (`worker/notes.ts`).
 *
 * @param source path of the job file. If the job is on a desk, the caller holds the job's lock.
 * @returns the directory to which the job was moved. `gone`: there is no file at `source`. `name-taken`: another job of this
 * name is held already, and the rename would overwrite its file.
 */
export async function cancelOrHold(
  site: Site,
  act: CancelOrHold,
  source: string,
  file: string,
): Promise<(typeof ROOM)[CancelOrHold] | "gone" | "name-taken"> {
  const { store, layout } = site;
  const destination = act === "hold" ? layout.held(file) : layout.ended(ROOM.cancel, file);
  if (act === "hold" && (await store.has(destination))) return "name-taken";
  return (await renameIfThere(store, source, destination)) ? ROOM[act] : "gone";
}
