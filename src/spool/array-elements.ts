import { elementName } from "../job/element.js";
import { countIn, cutAfter, numbersOf } from "../job/numbers.js";
import type { Site } from "../store/site.js";
import { isErrno } from "../store/store.js";
import { type ArrayPart, type Outgoing, outEntry, partEntry, piecesEntry } from "./array-parts.js";
import { moved, newId, removeEmpty, removeTakenApart, removeTree } from "./array-steps.js";
import { stampAt } from "./finish.js";
import { RENAMED_IN } from "./submit.js";

/** Source of the job files of an array. */
export interface ArraySource {
  readonly name: string;
  /** Stamp of the array's file (`store/stamp.ts`). Another array of the same name has another stamp. */
  readonly stamp: string;
  /** Text of the job file of a number. */
  textOf(number: number): string;
}

/**
 * S11: makes job files of the first numbers of a waiting part. `sendOut` then moves them to the queue.
 *
 * @returns false if another process has taken the part apart
 */
export async function expandPart(
  site: Site,
  { name, stamp, textOf }: ArraySource,
  part: ArrayPart,
  count: number,
  flush: boolean,
): Promise<boolean> {
  const { store, layout } = site;
  const { head, rest } = cutAfter(part.range, count);
  const id = newId();
  const pieces = piecesEntry(id);
  const prepared = (...names: string[]) => layout.inArray(name, part.entry, pieces, ...names);
  try {
    await store.mkdir(prepared());
    // From here on all files go into this array. So the array must still be the one whose file was read.
    if ((await stampAt(store, layout.arrayFile(name))) !== stamp) {
      await removeEmpty(store, prepared());
      return false;
    }
    const begin = store.clock.wall() - RENAMED_IN - countIn(head);
    let n = 0;
    for (const number of numbersOf([head])) {
      const element = prepared(`${elementName(name, number)}.ini`);
      await store.create(element, textOf(number), flush);
      await store.touch(element, begin + n++);
    }
    if (rest !== undefined) await store.mkdir(prepared(partEntry("waiting", rest)));
    if (flush) await store.flushDirectory(prepared());
    if (flush) await store.flushDirectory(layout.inArray(name, part.entry));
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return false;
    await removeTree(store, prepared()).catch(() => undefined); // the disk may be full, and the next attempt needs room
    throw error;
  }
  const out = outEntry(head, id);
  if (!(await moved(store, layout.inArray(name, part.entry), layout.inArray(name, out)))) return false;
  if (rest !== undefined) {
    const next = partEntry("waiting", rest);
    await moved(store, layout.inArray(name, out, pieces, next), layout.inArray(name, next));
  }
  return true;
}

/**
 * S11: moves the job files made by `expandPart` to the queue. If the name of a file is taken in the queue, the file waits until
 * the name is free.
 *
 * @returns the number of files that wait
 */
export async function sendOut(site: Site, name: string, { entry, files, next }: Outgoing): Promise<number> {
  const { store, layout } = site;
  let left = 0;
  for (const file of files) {
    if (await store.has(layout.queued(file))) left++;
    else await moved(store, layout.inArray(name, entry, file), layout.queued(file));
  }
  if (left === 0 && next === undefined) await removeTakenApart(site, name, entry);
  return left;
}
