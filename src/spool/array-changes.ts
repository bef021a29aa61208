import { FjordError } from "../job/error.js";
import { clip, contains, divide, type Range } from "../job/numbers.js";
import { quote } from "../job/quote.js";
import { entryIn } from "../project/layout.js";
import { namesIfThere } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import {
  type ArrayPart,
  type ArrayView,
  type PartKind,
  partEntry,
  piecesEntry,
  readArray,
  splitEntry,
} from "./array-parts.js";
import { made, moved, newId, removeTakenApart, removeTree } from "./array-steps.js";

/** Largest number of attempts to change numbers while other processes change the same parts. */
const ROUNDS = 100;

/**
 * Largest number of parts into which one change may divide a part. The number is limited because every reader of the array lists
 * all parts.
 */
const PIECES_LIMIT = 5000;

/** S11: completes moves that a killed process left unfinished. @returns whether anything was moved */
export async function mendArray(site: Site, view: ArrayView): Promise<boolean> {
  const { store, layout } = site;
  const { name } = view;
  let hasMoved = false;
  for (const { entry, next } of view.outgoing) {
    if (next === undefined) continue;
    if (await moved(store, layout.inArray(name, entry, next), layout.inArray(name, next))) hasMoved = true;
  }
  for (const split of view.splits) if (await finishSplit(site, name, split)) hasMoved = true;
  return hasMoved;
}

/**
 * S4, S11: cancels, holds or releases numbers that have no job file yet.
 *
 * @param from kinds of the numbers that may change
 * @param wanted the numbers to change; undefined for all numbers
 * @returns the numbers that changed
 */
export async function changeParts(
  site: Site,
  name: string,
  from: ReadonlySet<PartKind>,
  to: PartKind,
  wanted?: readonly Range[],
): Promise<Range[]> {
  const changed: Range[] = [];
  const division = new Division(wanted);
  for (let isSure = false, round = 0; !isSure && round < ROUNDS; round++) {
    isSure = true;
    const view = await readArray(site, name);
    if (view === undefined) break;
    if (await mendArray(site, view)) {
      isSure = false;
      continue;
    }
    for (const part of view.parts) {
      if (!from.has(part.kind) || part.kind === to) continue;
      const { inside, outside } = division.of(part.range);
      if (inside.length === 0) continue;
      // If another process has changed the part meanwhile, the array is read again.
      if (await changePart(site, name, part, to, { inside, outside })) changed.push(...inside);
      else isSure = false;
    }
  }
  return changed.sort((a, b) => a.from - b.from);
}

/** Gives the chosen ranges of a part another state. @returns false if another process has taken the part apart */
async function changePart(
  site: Site,
  name: string,
  part: ArrayPart,
  to: PartKind,
  { inside: chosen, outside: rest }: Readonly<Record<"inside" | "outside", readonly Range[]>>,
): Promise<boolean> {
  const { store, layout } = site;
  const source = layout.inArray(name, part.entry);
  if (rest.length === 0) return moved(store, source, layout.inArray(name, partEntry(to, part.range)));
  if (chosen.length + rest.length > PIECES_LIMIT) {
    const found = `That would cut ${quote(name)} into ${chosen.length + rest.length} ranges`;
    throw new FjordError(
      "bad-usage",
      `${found}, more than ${PIECES_LIMIT}.`,
      "Use longer ranges, or ranges with a step.",
    );
  }
  const id = newId();
  const pieces = piecesEntry(id);
  const prepared = entryIn(source, pieces);
  const entries = [
    ...chosen.map((range) => partEntry(to, range)),
    ...rest.map((range) => partEntry(part.kind, range)),
  ];
  try {
    for (const dir of [prepared, ...entries.map((entry) => entryIn(prepared, entry))]) {
      if (!(await made(store, dir))) return false;
    }
  } catch (error) {
    await removeTree(store, prepared).catch(() => undefined);
    throw error;
  }
  const split = splitEntry(id);
  if (!(await moved(store, source, layout.inArray(name, split)))) return false;
  await finishSplit(site, name, entryIn(split, pieces));
  return true;
}

/**
 * Moves the pieces of a part to their places. Several processes may do this at the same time, and each piece moves once.
 *
 * @returns whether this process moved a piece
 */
async function finishSplit(site: Site, name: string, split: string): Promise<boolean> {
  const { store, layout } = site;
  let hasMoved = false;
  for (const entry of await namesIfThere(store, layout.inArray(name, split))) {
    if (await moved(store, layout.inArray(name, split, entry), layout.inArray(name, entry))) hasMoved = true;
  }
  await removeTakenApart(site, name, split);
  return hasMoved;
}

/**
 * Divides the range of a part into wanted and other numbers, and remembers the result. A dispatcher may shorten the part many
 * times a second. A new division for each try would take so long that the part has changed again. So for a part that has become
 * shorter, the stored result is clipped.
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

/** Whether all numbers of a range are in another range. Two ranges with the same step may interleave. */
function isWithin(range: Range, other: Range): boolean {
  const isInStep = range.step === other.step || range.from === range.to;
  return isInStep && contains(other, range.from) && contains(other, range.to);
}
