import crypto from "node:crypto";
import path from "node:path";
import { elementName } from "../job/element.js";
import { FjordError } from "../job/error.js";
import { jobName } from "../job/name.js";
import { clip, contains, countIn, cutAfter, divide, numbersOf, type Range } from "../job/numbers.js";
import { quote } from "../job/quote.js";
import type { Layout } from "../project/layout.js";
import {
  type ArrayPart,
  type ArrayView,
  isUnfinished,
  type Outgoing,
  outEntry,
  type PartKind,
  partEntry,
  piecesEntry,
  readArray,
  splitEntry,
} from "./array-parts.js";
import { namesIfThere } from "./file-facts.js";
import { stampAt } from "./finish.js";
import { look } from "./intake.js";
import { isErrno, type Store } from "./store.js";
import { RENAMED_IN } from "./submit.js";

/*
 * S11: of an array, one file in `jobarrays/A/`, numbers become jobs as they are needed, each once, whoever is killed at
 * whatever instant. Numbers that are no jobs yet are a directory, a part, named as their range. Whoever takes a part apart, to
 * make jobs of its first numbers or to hold some of them, prepares what becomes of all of them in a directory of his own within
 * it, and then renames the part, with his directory's id in the new name: there is one winner, who comes late finds no part,
 * and what he had prepared counts for nothing. From there each job goes to the queue, and each piece to its place, by a rename
 * of its own, whoever does it. What is left over is removed only after the system has removed the winner's directory as an
 * empty one.
 */

/** How often others may be quicker than somebody who changes numbers. */
const ROUNDS = 100;

/** More directories than anybody wants to read. */
const PIECES_LIMIT = 5000;

/** What is needed of an array's file to make jobs of its numbers. */
export interface ArraySource {
  readonly name: string;
  /** Of the file (`finish.ts`): another array of the name has another. */
  readonly stamp: string;
  /** The job file of a number. */
  textOf(number: number): string;
}

/** @returns `name-taken`: one of its name is not over; `gone`: somebody has withdrawn it, or begun it, or it is no array now */
export async function beginArray(
  store: Store,
  layout: Layout,
  file: string,
): Promise<"begun" | "gone" | "name-taken"> {
  const name = jobName(file);
  for (;;) {
    const before = await readArray(store, layout, name);
    if (before !== undefined && isUnfinished(before)) return "name-taken";
    await store.mkdir(layout.jobarrays, true); // a project of before may not have it
    const dir = layout.newArray(name, newId());
    await store.mkdir(dir);
    if (await moved(store, layout.queued(file), layout.arrayFileIn(dir))) {
      return takePlace(store, layout, name, dir);
    }
    await removeEmpty(store, dir);
    if (!(await store.has(layout.queued(file)))) return "gone";
    // It is there, so the directory was gone: it was taken for a dead one's.
  }
}

/**
 * An array whose beginner was killed halfway goes on to its place, and one that was over goes for good.
 *
 * @param isAbandoned asked whether nobody is at a beginning any more, by the name of its directory
 */
export async function adoptArrays(
  store: Store,
  layout: Layout,
  isAbandoned: (entry: string) => boolean = () => true,
): Promise<void> {
  for (const entry of await namesIfThere(store, layout.jobarrays)) {
    if (!entry.startsWith(".")) continue;
    const dir = layout.inArray(entry);
    const begun = layout.arrayOfNew(entry);
    if (begun !== undefined) {
      // Without its file it is nothing, and that is in the queue.
      if (!(await store.has(layout.arrayFileIn(dir)))) await removeEmpty(store, dir);
      else if (isAbandoned(entry)) await takePlace(store, layout, begun, dir);
    }
    const over = layout.arrayOfOld(entry);
    if (over === undefined || (await bury(store, layout, over, dir))) continue;
    // It is not over after all, and the next one is at its place: that has to be over first.
    if (await removeArray(store, layout, over)) await moved(store, dir, layout.array(over));
  }
}

/**
 * From its file, which is in nobody else's hands any more, an array is made; several may be at it. What was read of the file
 * while it was in the queue may have been of another.
 */
async function takePlace(
  store: Store,
  layout: Layout,
  name: string,
  dir: string,
): Promise<"begun" | "gone" | "name-taken"> {
  const file = layout.arrayFileIn(dir);
  const before = await stampAt(store, layout.arrayFile(name)); // of an older one, as this one is still seen here
  const seen = await look(store, file, `${name}.ini`);
  if (seen.kind === "gone") return "begun";
  if (seen.kind !== "valid" || seen.job.array === undefined) {
    const queued = layout.queued(`${name}.ini`);
    if (!(await store.has(queued)) && (await moved(store, file, queued))) await removeTree(store, dir);
    return "gone";
  }
  for (const range of seen.job.array.ranges) {
    if (!(await made(store, path.join(dir, partEntry("waiting", range))))) return "begun";
  }
  if (!(await retire(store, layout, name, (stamp) => stamp === before))) return "name-taken";
  if (await moved(store, dir, layout.array(name))) return "begun";
  return (await store.has(dir)) ? "name-taken" : "begun";
}

/**
 * Removes the directory of an array that is over; its jobs stay where they are, what was cancelled of it goes.
 *
 * @returns whether there is none now; false: it is not over
 */
export function removeArray(store: Store, layout: Layout, name: string): Promise<boolean> {
  return retire(store, layout, name, () => true);
}

async function retire(
  store: Store,
  layout: Layout,
  name: string,
  isMeant: (stamp: string | undefined) => boolean,
): Promise<boolean> {
  const before = await readArray(store, layout, name);
  if (before === undefined) return true;
  if (isUnfinished(before)) return false;
  const old = layout.oldArray(name, newId());
  if (!(await moved(store, layout.array(name), old))) return true;
  return bury(store, layout, name, old, isMeant);
}

/** Out of everybody's way it is looked at once more: some of it may have been put back, or it may be the next one of the name. */
async function bury(
  store: Store,
  layout: Layout,
  name: string,
  old: string,
  isMeant: (stamp: string | undefined) => boolean = () => true,
): Promise<boolean> {
  const view = await readArray(store, layout, name, old);
  const isOver = view === undefined || !isUnfinished(view);
  if (isOver && isMeant(await stampAt(store, layout.arrayFileIn(old)))) {
    await removeTree(store, old);
    return true;
  }
  await moved(store, old, layout.array(name)); // if that is taken, it comes after that: `adoptArrays`
  return false;
}

/** Goes on with what somebody was killed in the midst of. @returns whether anything has moved */
export async function mendArray(store: Store, layout: Layout, view: ArrayView): Promise<boolean> {
  const { name } = view;
  let hasMoved = false;
  for (const { entry, next } of view.outgoing) {
    if (next === undefined) continue;
    if (await moved(store, layout.inArray(name, entry, next), layout.inArray(name, next))) hasMoved = true;
  }
  for (const split of view.splits) if (await finishSplit(store, layout, name, split)) hasMoved = true;
  return hasMoved;
}

/**
 * Makes jobs of the first numbers of a part that waits. They are on their way to the queue then: `sendOut`.
 *
 * @returns whether it was done; false: the part is another's by now
 */
export async function expandPart(
  store: Store,
  layout: Layout,
  { name, stamp, textOf }: ArraySource,
  part: ArrayPart,
  count: number,
  flush: boolean,
): Promise<boolean> {
  const { head, rest } = cutAfter(part.range, count);
  const id = newId();
  const pieces = piecesEntry(id);
  const prepared = (...names: string[]) => layout.inArray(name, part.entry, pieces, ...names);
  try {
    await store.mkdir(prepared());
    // From here on all goes into this array, or nowhere: is it the one whose file was read?
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
    await removeTree(store, prepared()).catch(() => undefined); // the disk may be full, and there will be more tries
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
 * Jobs that were made of numbers go to the queue. One whose name is taken there stays until it is free.
 *
 * @returns how many stay
 */
export async function sendOut(
  store: Store,
  layout: Layout,
  name: string,
  { entry, files, next }: Outgoing,
): Promise<number> {
  let left = 0;
  for (const file of files) {
    if (await store.has(layout.queued(file))) left++;
    else await moved(store, layout.inArray(name, entry, file), layout.queued(file));
  }
  if (left === 0 && next === undefined) await removeTakenApart(store, layout, name, entry);
  return left;
}

/**
 * Numbers that are no jobs yet get another kind: cancelled, held, waiting again.
 *
 * @param wanted undefined: all
 * @returns those that changed
 */
export async function changeParts(
  store: Store,
  layout: Layout,
  name: string,
  from: ReadonlySet<PartKind>,
  to: PartKind,
  wanted?: readonly Range[],
): Promise<Range[]> {
  const changed: Range[] = [];
  const division = new Division(wanted);
  for (let isSure = false, round = 0; !isSure && round < ROUNDS; round++) {
    isSure = true;
    const view = await readArray(store, layout, name);
    if (view === undefined) break;
    if (await mendArray(store, layout, view)) {
      isSure = false;
      continue;
    }
    for (const part of view.parts) {
      if (!from.has(part.kind) || part.kind === to) continue;
      const { inside, outside } = division.of(part.range);
      if (inside.length === 0) continue;
      // Another was quicker: look again.
      if (await changePart(store, layout, name, part, to, inside, outside)) changed.push(...inside);
      else isSure = false;
    }
  }
  return changed.sort((a, b) => a.from - b.from);
}

async function changePart(
  store: Store,
  layout: Layout,
  name: string,
  part: ArrayPart,
  to: PartKind,
  chosen: readonly Range[],
  rest: readonly Range[],
): Promise<boolean> {
  const source = layout.inArray(name, part.entry);
  if (rest.length === 0) return moved(store, source, layout.inArray(name, partEntry(to, part.range)));
  if (chosen.length + rest.length > PIECES_LIMIT) {
    const found = `That would cut ${quote(name)} into ${chosen.length + rest.length} ranges`;
    throw new FjordError(
      "bad-usage",
      `${found}, more than ${PIECES_LIMIT}.`,
      "Name longer ranges, or steps.",
    );
  }
  const id = newId();
  const pieces = piecesEntry(id);
  const entries = [
    "",
    ...chosen.map((range) => partEntry(to, range)),
    ...rest.map((range) => partEntry(part.kind, range)),
  ];
  try {
    for (const entry of entries) if (!(await made(store, path.join(source, pieces, entry)))) return false;
  } catch (error) {
    await removeTree(store, path.join(source, pieces)).catch(() => undefined);
    throw error;
  }
  const split = splitEntry(id);
  if (!(await moved(store, source, layout.inArray(name, split)))) return false;
  await finishSplit(store, layout, name, `${split}/${pieces}`);
  return true;
}

/** The pieces go to their places. Several may be at it: each is moved once. @returns whether any was */
async function finishSplit(store: Store, layout: Layout, name: string, split: string): Promise<boolean> {
  let hasMoved = false;
  for (const entry of await namesIfThere(store, layout.inArray(name, split))) {
    if (await moved(store, layout.inArray(name, split, entry), layout.inArray(name, entry))) hasMoved = true;
  }
  await removeTakenApart(store, layout, name, split);
  return hasMoved;
}

/**
 * What is left of a part that was taken apart goes, with what others had prepared in vain: but only when of the pieces none is
 * left, which the system itself sees to.
 *
 * @param entry where the pieces were
 */
async function removeTakenApart(store: Store, layout: Layout, name: string, entry: string): Promise<void> {
  if (!(await removeEmpty(store, layout.inArray(name, entry)))) return;
  const part = layout.inArray(name, path.dirname(entry));
  // Not the pieces, should they turn up again: the whole array may be away for a moment.
  for (const other of await namesIfThere(store, part)) {
    if (other !== path.basename(entry)) await removeTree(store, path.join(part, other));
  }
  await removeEmpty(store, part);
}

/**
 * Which numbers of a part are meant. A dispatcher that makes jobs of a part's first numbers many times a second must not be
 * quicker each time: what takes long is found out once, and only clipped when the part has become shorter.
 */
class Division {
  readonly #wanted: readonly Range[] | undefined;
  readonly #known: { range: Range; inside: Range[]; outside: Range[] }[] = [];

  constructor(wanted: readonly Range[] | undefined) {
    this.#wanted = wanted;
  }

  of(range: Range): { inside: Range[]; outside: Range[] } {
    if (this.#wanted === undefined) return { inside: [range], outside: [] };
    const known = this.#known.find((one) => isWithin(range, one.range));
    if (known === undefined) {
      const found = { range, ...divide(range, this.#wanted) };
      this.#known.push(found);
      return found;
    }
    const { from, to } = range;
    return { inside: clip(known.inside, from, to), outside: clip(known.outside, from, to) };
  }
}

/** Whether all numbers of a range are among those of another: two of the same steps may lie between one another. */
function isWithin(range: Range, other: Range): boolean {
  const isInStep = range.step === other.step || range.from === range.to;
  return isInStep && contains(other, range.from) && contains(other, range.to);
}

/** False: there is nothing of that name, or its destination is taken. */
async function moved(store: Store, from: string, to: string): Promise<boolean> {
  try {
    await store.rename(from, to);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ENOTEMPTY", "EEXIST")) return false;
    throw error;
  }
}

/** Makes a directory that others may make too. False: what it is to be in is gone. */
async function made(store: Store, dir: string): Promise<boolean> {
  try {
    await store.mkdir(dir);
    return true;
  } catch (error) {
    if (isErrno(error, "EEXIST")) return true;
    if (isErrno(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}

/** False: there is something in it. */
async function removeEmpty(store: Store, dir: string): Promise<boolean> {
  try {
    await store.rmdir(dir);
  } catch (error) {
    if (isErrno(error, "ENOTEMPTY", "EEXIST")) return false;
    if (!isErrno(error, "ENOENT")) throw error;
  }
  return true;
}

/** A file, or a directory and what is in it, of which nothing is of use to anybody. Others may be at it too. */
async function removeTree(store: Store, entry: string): Promise<void> {
  try {
    await store.unlink(entry);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return;
    if (!isErrno(error, "EISDIR", "EPERM")) throw error;
    for (const name of await namesIfThere(store, entry)) await removeTree(store, path.join(entry, name));
    await removeEmpty(store, entry);
  }
}

/** Short, as it stands beside a name that may be long. */
function newId(): string {
  return crypto.randomBytes(5).readUIntBE(0, 5).toString(36).padStart(8, "0");
}
