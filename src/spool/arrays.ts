import { jobName } from "../job/name.js";
import { arrayOfNew, arrayOfOld } from "../project/entry-names.js";
import { entryIn } from "../project/layout.js";
import { namesIfThere } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import { isUnfinished, partEntry, readArray } from "./array-parts.js";
import { made, moved, newId, removeEmpty, removeTree } from "./array-steps.js";
import { stampAt } from "./finish.js";
import { readJobFile } from "./read-job-file.js";

/*
 * S11: an array is one file, `jobarrays/A/array.ini`, that stands for many jobs. fjord makes the job file of a number when the
 * job is needed. Each job is made once, even if any process is killed at any moment.
 *
 * A part is a directory that stands for a range of numbers without job files. Its name is the range. To take a part apart, a
 * process prepares the results in a directory of its own inside the part: job files, or parts of smaller ranges. Then it renames
 * the part to a name with the id of this directory. Only one process can make this rename. The other processes find that the part
 * is gone, and the results that they prepared are not used. After the rename every process may move the winner's results to their
 * places, each by one rename. The rest is removed only after the directory of the winner is empty, which rmdir(2) checks.
 *
 * This file begins and removes arrays, `array-elements.ts` makes jobs of numbers, and `array-changes.ts` cancels, holds and
 * releases numbers.
 */

/**
 * Turns a job file in the queue into an array.
 *
 * @returns `name-taken` if an array of this name has not ended; `gone` if the file is gone or describes no array
 */
export async function beginArray(site: Site, file: string): Promise<"begun" | "gone" | "name-taken"> {
  const { store, layout } = site;
  const name = jobName(file);
  for (;;) {
    const before = await readArray(site, name);
    if (before !== undefined && isUnfinished(before)) return "name-taken";
    await store.mkdir(layout.jobarrays, true); // a project of an older version may not have this directory
    const dir = layout.newArray(name, newId());
    await store.mkdir(dir);
    if (await moved(store, layout.queued(file), layout.arrayFileIn(dir))) {
      return takePlace(site, name, dir);
    }
    await removeEmpty(store, dir);
    if (!(await store.has(layout.queued(file)))) return "gone";
    // The file still exists, so the rename failed because the directory is gone. `adoptArrays` assumed that this process is dead
    // and removed the directory.
  }
}

/**
 * Completes the work of killed processes. A new array is moved to its place, and an array that was being removed is removed.
 *
 * @param isAbandoned tells for the name of a new directory whether the process that made it is dead
 */
export async function adoptArrays(
  site: Site,
  isAbandoned: (entry: string) => boolean = () => true,
): Promise<void> {
  const { store, layout } = site;
  for (const entry of await namesIfThere(store, layout.jobarrays)) {
    if (!entry.startsWith(".")) continue;
    const dir = layout.inArray(entry);
    const begun = arrayOfNew(entry);
    if (begun !== undefined) {
      // A directory without the array's file is not needed, because the file is still in the queue.
      if (!(await store.has(layout.arrayFileIn(dir)))) await removeEmpty(store, dir);
      else if (isAbandoned(entry)) await takePlace(site, begun, dir);
    }
    const over = arrayOfOld(entry);
    if (over === undefined || (await removeIfOver(site, over, dir))) continue;
    // This array has not ended, and a newer array with the same name may be in its place. This array goes back when the newer one
    // has ended.
    if (await removeArray(site, over)) await moved(store, dir, layout.array(over));
  }
}

/**
 * Makes the parts of a new array, and moves the array to its place. Several processes may do this at the same time. The file is
 * read again here, because a file with the same name may have replaced the file that was read in the queue.
 */
async function takePlace(site: Site, name: string, dir: string): Promise<"begun" | "gone" | "name-taken"> {
  const { store, layout } = site;
  const file = layout.arrayFileIn(dir);
  const before = await stampAt(store, layout.arrayFile(name)); // stamp of an older array, read while the new one is still here
  const reading = await readJobFile(store, file, `${name}.ini`);
  if (reading.kind === "gone") return "begun";
  if (reading.kind !== "valid" || reading.job.array === undefined) {
    const queued = layout.queued(`${name}.ini`);
    if (!(await store.has(queued)) && (await moved(store, file, queued))) await removeTree(store, dir);
    return "gone";
  }
  for (const range of reading.job.array.ranges) {
    if (!(await made(store, entryIn(dir, partEntry("waiting", range))))) return "begun";
  }
  if (!(await retire(site, name, (stamp) => stamp === before))) return "name-taken";
  if (await moved(store, dir, layout.array(name))) return "begun";
  return (await store.has(dir)) ? "name-taken" : "begun";
}

/**
 * Removes the directory of an array that has ended. The jobs stay in their places, but the list of cancelled numbers is lost.
 *
 * @returns true if there is no such array now; false if the array has not ended
 */
export function removeArray(site: Site, name: string): Promise<boolean> {
  return retire(site, name, () => true);
}

/** Removes an array that has ended and has the wanted stamp. */
async function retire(
  site: Site,
  name: string,
  isWanted: (stamp: string | undefined) => boolean,
): Promise<boolean> {
  const { store, layout } = site;
  const before = await readArray(site, name);
  if (before === undefined) return true;
  if (isUnfinished(before)) return false;
  const old = layout.oldArray(name, newId());
  if (!(await moved(store, layout.array(name), old))) return true;
  return removeIfOver(site, name, old, isWanted);
}

/**
 * Checks an array again after its directory was renamed, because no process changes it under the new name. If some of its numbers
 * wait again, or if it is a newer array with the same name, it goes back to its place.
 */
async function removeIfOver(
  site: Site,
  name: string,
  old: string,
  isWanted: (stamp: string | undefined) => boolean = () => true,
): Promise<boolean> {
  const { store, layout } = site;
  const view = await readArray(site, name, old);
  const isOver = view === undefined || !isUnfinished(view);
  if (isOver && isWanted(await stampAt(store, layout.arrayFileIn(old)))) {
    await removeTree(store, old);
    return true;
  }
  await moved(store, old, layout.array(name)); // if the place is taken, `adoptArrays` moves it later
  return false;
}
