import crypto from "node:crypto";
import path from "node:path";
import { elementName } from "../job/element.js";
import { FjordError } from "../job/error.js";
import { jobName } from "../job/name.js";
import { clip, countIn, cutAfter, divide, numbersOf, type Range } from "../job/numbers.js";
import { quote } from "../job/quote.js";
import type { Layout } from "../project/layout.js";
import {
  type ArrayPart,
  type ArrayView,
  isUnfinished,
  nextEntry,
  type Outgoing,
  outEntry,
  type PartKind,
  partEntry,
  readArray,
  splitEntries,
} from "./array-parts.js";
import { isErrno, type Store } from "./store.js";

/*
 * S11: of an array, one file in `jobarrays/A/`, numbers become jobs as they are needed, each once, whoever is killed at
 * whatever instant. Numbers that are no jobs yet are a directory, named as their range. Whoever makes jobs of some writes
 * them into that directory, and what will be left of the range too, and then renames it: there is one winner, and who comes
 * late finds no directory. From there each job goes to the queue by a rename of its own.
 */

/** How far a modification time is set back, ms: by that a file is known that was renamed into place (`submit.ts`). */
const RENAMED_IN = 1000;

/** More directories than anybody wants to read. */
const PIECES_LIMIT = 5000;

/** @returns `name-taken`: one of its name is not over; `gone`: somebody has withdrawn it, or begun it */
export async function beginArray(
  store: Store,
  layout: Layout,
  file: string,
  ranges: readonly Range[],
): Promise<"begun" | "gone" | "name-taken"> {
  const name = jobName(file);
  const before = await readArray(store, layout, name);
  if (before !== undefined && isUnfinished(before)) return "name-taken";
  await store.mkdir(layout.jobarrays, true); // a project of before may not have it
  const dir = layout.newArray(name, newId());
  await store.mkdir(dir);
  for (const range of ranges) await store.mkdir(path.join(dir, partEntry("waiting", range)));
  if (!(await moved(store, layout.queued(file), path.join(dir, path.basename(layout.arrayFile(name)))))) {
    await removeTree(store, dir);
    return "gone";
  }
  // The old one is over: its jobs stay where they are, what was cancelled of it goes, as it does with a job of the name.
  if (before !== undefined) await removeArray(store, layout, name);
  return (await moved(store, dir, layout.array(name))) ? "begun" : "name-taken";
}

/** An array whose beginner was killed halfway goes on to its place. */
export async function adoptArrays(store: Store, layout: Layout): Promise<void> {
  for (const entry of await namesIn(store, layout.jobarrays)) {
    const name = layout.arrayOfNew(entry);
    if (name === undefined) continue;
    const dir = layout.inArray(entry);
    // Without its file it is nothing: the file is in the queue, and its beginner may come back to it.
    if (!(await store.has(path.join(dir, path.basename(layout.arrayFile(name)))))) continue;
    const before = await readArray(store, layout, name);
    if (before !== undefined && isUnfinished(before)) continue;
    if (before !== undefined) await removeArray(store, layout, name);
    await moved(store, dir, layout.array(name));
  }
}

/** Removes an array's directory; its jobs stay where they are. */
export async function removeArray(store: Store, layout: Layout, name: string): Promise<void> {
  const old = layout.oldArray(name, newId());
  if (await moved(store, layout.array(name), old)) await removeTree(store, old);
}

/** Goes on with what somebody was killed in the midst of. @returns whether there was anything */
export async function mendArray(store: Store, layout: Layout, view: ArrayView): Promise<boolean> {
  const { name } = view;
  for (const { entry, next } of view.outgoing) {
    if (next === undefined) continue;
    await moved(store, layout.inArray(name, entry, next), layout.inArray(name, next.replace(/^next\./, "")));
  }
  for (const split of view.splits) await finishSplit(store, layout, name, split);
  return view.splits.length > 0 || view.outgoing.some(({ next }) => next !== undefined);
}

/**
 * Makes jobs of the first numbers of a part that waits. They are on their way to the queue then: `sendOut`.
 *
 * @param textOf the job file of a number
 * @returns whether it was done; false: the part is another's by now
 */
export async function expandPart(
  store: Store,
  layout: Layout,
  name: string,
  part: ArrayPart,
  count: number,
  textOf: (number: number) => string,
  flush: boolean,
): Promise<boolean> {
  const { head, rest } = cutAfter(part.range, count);
  const inPart = (entry: string) => layout.inArray(name, part.entry, entry);
  try {
    const begin = Date.now() - RENAMED_IN - countIn(head);
    let n = 0;
    for (const number of numbersOf([head])) {
      const temporary = inPart(`.${newId()}.tmp`);
      await store.create(temporary, textOf(number), flush);
      await store.touch(temporary, begin + n++);
      await store.rename(temporary, inPart(`${elementName(name, number)}.ini`));
    }
    if (rest !== undefined) await makeDirectory(store, inPart(nextEntry(rest)));
    if (flush) await store.flushDirectory(inPart(""));
    await store.rename(inPart(""), layout.inArray(name, outEntry(head)));
    if (rest !== undefined) {
      const next = layout.inArray(name, outEntry(head), nextEntry(rest));
      await moved(store, next, layout.inArray(name, partEntry("waiting", rest)));
    }
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
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
  // Nothing ever comes into it any more, so what was seen there is all there was.
  if (left === 0 && next === undefined) await removeTree(store, layout.inArray(name, entry));
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
  for (let isSure = false; !isSure; ) {
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
  const { pieces, split } = splitEntries(id);
  const entries = [
    ...chosen.map((range) => partEntry(to, range)),
    ...rest.map((range) => partEntry(part.kind, range)),
  ];
  try {
    await store.mkdir(path.join(source, pieces));
    for (const entry of entries) await store.mkdir(path.join(source, pieces, entry));
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
  if (!(await moved(store, source, layout.inArray(name, split)))) return false;
  await finishSplit(store, layout, name, split);
  return true;
}

/** The pieces go to their places. Several may be at it: each is moved once. */
async function finishSplit(store: Store, layout: Layout, name: string, split: string): Promise<void> {
  const id = /^\.(.+)\.split$/.exec(split)?.[1] ?? "";
  const { pieces } = splitEntries(id);
  for (const entry of await namesIn(store, layout.inArray(name, split, pieces))) {
    await moved(store, layout.inArray(name, split, pieces, entry), layout.inArray(name, entry));
  }
  if ((await namesIn(store, layout.inArray(name, split, pieces))).length > 0) return; // somebody's directories are in the way
  await removeTree(store, layout.inArray(name, split));
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
    const isWithin = ({ range: { from, to, step } }: { range: Range }) =>
      range.from >= from && range.to <= to && (range.step === step || range.from === range.to);
    const known = this.#known.find(isWithin);
    if (known === undefined) {
      const found = { range, ...divide(range, this.#wanted) };
      this.#known.push(found);
      return found;
    }
    const { from, to } = range;
    return { inside: clip(known.inside, from, to), outside: clip(known.outside, from, to) };
  }
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

async function makeDirectory(store: Store, dir: string): Promise<void> {
  try {
    await store.mkdir(dir);
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
  }
}

/** A directory and what is in it, of which nothing is of use to anybody. Others may be at it too. */
async function removeTree(store: Store, dir: string): Promise<void> {
  for (const name of await namesIn(store, dir)) {
    const entry = path.join(dir, name);
    try {
      await store.unlink(entry);
    } catch (error) {
      if (isErrno(error, "EISDIR", "EPERM")) await removeTree(store, entry);
      else if (!isErrno(error, "ENOENT")) throw error;
    }
  }
  try {
    await store.rmdir(dir);
  } catch (error) {
    if (!isErrno(error, "ENOENT", "ENOTEMPTY", "EEXIST")) throw error;
  }
}

async function namesIn(store: Store, dir: string): Promise<string[]> {
  try {
    return await store.list(dir);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ESTALE")) return [];
    throw error;
  }
}

/** Short, as it stands beside a name that may be long. */
function newId(): string {
  return crypto.randomBytes(5).readUIntBE(0, 5).toString(36).padStart(8, "0");
}
