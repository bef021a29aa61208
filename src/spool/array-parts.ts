import { basename } from "node:path";
import { elementOf } from "../job/element.js";
import { jobName } from "../job/name.js";
import { contains, countIn, formatRange, parseRange, type Range } from "../job/numbers.js";
import { entryIn } from "../project/layout.js";
import { namesIfThere } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import type { Store } from "../store/store.js";

/** State of numbers of an array that have no job file yet. */
export type PartKind = "waiting" | "held" | "cancelled";

/** Part of an array: a directory that stands for numbers without job files. Its name holds their range and state. */
export interface ArrayPart {
  readonly kind: PartKind;
  readonly range: Range;
  /** Path of the part below the directory of the array. */
  readonly entry: string;
}

/** Job files of numbers on their way to the queue. */
export interface Outgoing {
  /** Path of the directory that holds the files, below the directory of the array. */
  readonly entry: string;
  readonly range: Range;
  /** Job files that are still there. */
  readonly files: readonly string[];
  /** Part with the following numbers, if it has not been moved to its place yet. */
  readonly next: string | undefined;
}

/** State of an array, read from its directory. */
export interface ArrayView {
  readonly name: string;
  /** Parts in the order of their numbers. */
  readonly parts: readonly ArrayPart[];
  readonly outgoing: readonly Outgoing[];
  /** Paths of pieces that a split has made and not yet moved to their places. */
  readonly splits: readonly string[];
}

const OUT = /^(.+)\.([^.]+)\.out$/;
const SPLIT = /^\.(.+)\.split$/;
const PREFIX: Readonly<Record<PartKind, string>> = { waiting: "", held: "held.", cancelled: "cancelled." };

/** Name of the directory that stands for the numbers in this state. */
export function partEntry(kind: PartKind, range: Range): string {
  return `${PREFIX[kind]}${formatRange(range)}`;
}

/** Name of the directory in a part where the process with this id prepares job files or smaller parts. */
export function piecesEntry(id: string): string {
  return `.pieces.${id}`;
}

/** New name of a part whose first numbers became job files. After this rename, the pieces with this id are valid. */
export function outEntry(range: Range, id: string): string {
  return `${formatRange(range)}.${id}.out`;
}

/** New name of a part that was split into parts of different states. */
export function splitEntry(id: string): string {
  return `.${id}.split`;
}

/** @param inside path of the directory that holds the part, below the directory of the array */
function partOf(entry: string, inside?: string): ArrayPart | undefined {
  for (const kind of ["held", "cancelled", "waiting"] as const) {
    if (!entry.startsWith(PREFIX[kind])) continue;
    const range = parseRange(entry.slice(PREFIX[kind].length));
    if (range !== undefined)
      return { kind, range, entry: inside === undefined ? entry : entryIn(inside, entry) };
  }
  return undefined;
}

/** Names of all arrays that have begun. */
export async function listArrays(site: Site): Promise<string[]> {
  const { store, layout } = site;
  return (await namesIfThere(store, layout.jobarrays)).filter((name) => !name.startsWith("."));
}

/**
 * Reads the directory of an array; undefined if there is none. A part may move during the reading, so the directory is listed
 * until two listings agree.
 *
 * @param dir the directory, if the array is not in its place
 */
export async function readArray(
  site: Site,
  name: string,
  dir = site.layout.array(name),
): Promise<ArrayView | undefined> {
  const { store } = site;
  for (let names = await namesIfThere(store, dir), round = 0; ; round++) {
    if (names.length === 0) return undefined;
    const view = await viewOf(store, dir, name, names);
    const again = await namesIfThere(store, dir);
    if (round > 10 || (again.length === names.length && again.every((one) => names.includes(one))))
      return view;
    names = again;
  }
}

async function viewOf(store: Store, dir: string, name: string, names: readonly string[]): Promise<ArrayView> {
  const parts: ArrayPart[] = [];
  const outgoing: Outgoing[] = [];
  const splits: string[] = [];
  for (const entry of names) {
    const part = partOf(entry);
    const out = OUT.exec(entry);
    const range = parseRange(out?.[1] ?? "");
    const id = range === undefined ? SPLIT.exec(entry)?.[1] : out?.[2];
    if (part !== undefined) parts.push(part);
    else if (id !== undefined) {
      const pieces = entryIn(entry, piecesEntry(id));
      const found = await namesIfThere(store, entryIn(dir, pieces));
      const inside = found.map((piece) => partOf(piece, pieces)).filter((piece) => piece !== undefined);
      parts.push(...inside);
      if (range === undefined) splits.push(pieces);
      else {
        const next = inside[0] && basename(inside[0].entry);
        outgoing.push({ entry: pieces, range, files: elementsIn(found, name, range), next });
      }
    }
  }
  parts.sort((a, b) => a.range.from - b.range.from);
  outgoing.sort((a, b) => a.range.from - b.range.from);
  return { name, parts, outgoing, splits };
}

/** Job files of an array in the order of their numbers. */
function elementsIn(names: readonly string[], array: string, range: Range): string[] {
  return names
    .flatMap((file) => {
      const element = file.endsWith(".ini") ? elementOf(jobName(file)) : undefined;
      const isOne = element?.array === array && contains(range, element.number);
      return isOne ? [{ file, number: element.number }] : [];
    })
    .sort((a, b) => a.number - b.number)
    .map(({ file }) => file);
}

/** Count of numbers without job files, of one kind or of all kinds. */
export function countParts({ parts }: ArrayView, kind?: PartKind): number {
  return parts.reduce(
    (sum, part) => sum + (kind === undefined || part.kind === kind ? countIn(part.range) : 0),
    0,
  );
}

/** Whether numbers wait, are held, or are on their way to the queue. As long as they do, the array has not ended. */
export function isUnfinished({ parts, outgoing, splits }: ArrayView): boolean {
  return outgoing.length + splits.length > 0 || parts.some(({ kind }) => kind !== "cancelled");
}
