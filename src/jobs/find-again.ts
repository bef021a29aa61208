import { elementOf } from "../job/element.js";
import { readArray } from "../spool/array-parts.js";
import type { Site } from "../store/site.js";
import { findOnDesks } from "./find.js";
import { placesOf } from "./numbers.js";
import { isSingle, pathInState, type RoomState, type SinglePlace } from "./places.js";

/**
 * Order in which the directories are searched for a job. `cancelled` comes before the other ends, because a job that was just
 * cancelled may share its name with an earlier job that has ended.
 */
const ORDER: readonly RoomState[] = ["waiting", "retrying", "held", "cancelled", "done", "failed"];

/**
 * Finds where jobs are now, by name. If a job is not found, the function searches once more, because the job may have moved
 * during the search.
 */
export async function findAgain(
  site: Site,
  jobs: readonly { readonly job: string; readonly file: string }[],
): Promise<Map<string, SinglePlace>> {
  const found = new Map<string, SinglePlace>();
  for (let search = 0; search < 2 && found.size < jobs.length; search++) {
    const onDesks = new Map((await findOnDesks(site)).map((place) => [place.file, place]));
    const leaving = new Map<string, Map<string, SinglePlace>>();
    for (const { job, file } of jobs) {
      if (found.has(job)) continue;
      const array = elementOf(job)?.array;
      let place = onDesks.get(file) ?? (await findInRooms(site, job, file));
      if (place === undefined && array !== undefined) {
        const ofArray = leaving.get(array) ?? (await findLeaving(site, array));
        leaving.set(array, ofArray);
        place = ofArray.get(file);
      }
      if (place !== undefined) found.set(job, place);
    }
  }
  return found;
}

async function findInRooms(
  { store, layout }: Site,
  job: string,
  file: string,
): Promise<SinglePlace | undefined> {
  for (const state of ORDER) {
    const path = pathInState(layout, state, file);
    if (await store.has(path)) return { kind: "job", job, file, state, path };
  }
  return undefined;
}

/** Finds elements that are being moved from their array to the queue, by file. */
async function findLeaving(site: Site, array: string): Promise<Map<string, SinglePlace>> {
  const view = await readArray(site, array);
  const places =
    view === undefined ? [] : placesOf(site.layout, { ...view, parts: [] }, new Set(["waiting"]));
  return new Map(places.filter(isSingle).map((place) => [place.file, place]));
}
