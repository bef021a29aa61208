import path from "node:path";
import { elementOf } from "../job/element.js";
import { jobName } from "../job/name.js";
import { contains, countIn, formatRange, parseRange, type Range } from "../job/numbers.js";
import type { Layout } from "../project/layout.js";
import { namesIfThere } from "./file-facts.js";
import type { Store } from "./store.js";

/** What is with numbers of an array that are no jobs yet. */
export type PartKind = "waiting" | "held" | "cancelled";

/** Numbers of an array that are no jobs yet: a directory, whose name says which, and what is with them. */
export interface ArrayPart {
  readonly kind: PartKind;
  readonly range: Range;
  /** Its path below the array's directory. */
  readonly entry: string;
}

/** Numbers that have been made jobs, which are on their way to the queue. */
export interface Outgoing {
  /** Where their files are, below the array's directory. */
  readonly entry: string;
  readonly range: Range;
  /** The job files that are there still. */
  readonly files: readonly string[];
  /** The part that comes after them, which lies there too until it has been moved to its place. */
  readonly next: string | undefined;
}

/** An array as its directory tells of it now. */
export interface ArrayView {
  readonly name: string;
  /** By number. */
  readonly parts: readonly ArrayPart[];
  readonly outgoing: readonly Outgoing[];
  /** Where the pieces of parts are that are being split, or were when somebody was killed. */
  readonly splits: readonly string[];
}

const OUT = /^(.+)\.([^.]+)\.out$/;
const SPLIT = /^\.(.+)\.split$/;
const PREFIX: Readonly<Record<PartKind, string>> = { waiting: "", held: "held.", cancelled: "cancelled." };

/** The directory of numbers with which it is so. */
export function partEntry(kind: PartKind, range: Range): string {
  return `${PREFIX[kind]}${formatRange(range)}`;
}

/** Where whoever takes a part apart prepares what becomes of it: in the part, a directory of his own. */
export function piecesEntry(id: string): string {
  return `.pieces.${id}`;
}

/** What he then renames the part to, when these of its numbers have been made jobs: by that his pieces are the ones that count. */
export function outEntry(range: Range, id: string): string {
  return `${formatRange(range)}.${id}.out`;
}

/** The same when its numbers are still none, but no longer all the same. */
export function splitEntry(id: string): string {
  return `.${id}.split`;
}

function partOf(entry: string, base = ""): ArrayPart | undefined {
  for (const kind of ["held", "cancelled", "waiting"] as const) {
    if (!entry.startsWith(PREFIX[kind])) continue;
    const range = parseRange(entry.slice(PREFIX[kind].length));
    if (range !== undefined) return { kind, range, entry: base + entry };
  }
  return undefined;
}

/** Names of the arrays that have begun. */
export async function listArrays(store: Store, layout: Layout): Promise<string[]> {
  return (await namesIfThere(store, layout.jobarrays)).filter((name) => !name.startsWith("."));
}

/**
 * Reads an array's directory; undefined when there is none. What moves meanwhile is met: the directory is read until it
 * has stayed the same.
 *
 * @param dir if it is not at its place
 */
export async function readArray(
  store: Store,
  layout: Layout,
  name: string,
  dir = layout.array(name),
): Promise<ArrayView | undefined> {
  for (let names = await namesIfThere(store, dir), look = 0; ; look++) {
    if (names.length === 0) return undefined;
    const view = await viewOf(store, dir, name, names);
    const again = await namesIfThere(store, dir);
    if (look > 10 || (again.length === names.length && again.every((one) => names.includes(one))))
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
      const pieces = `${entry}/${piecesEntry(id)}`;
      const found = await namesIfThere(store, path.join(dir, pieces));
      const inside = found.map((piece) => partOf(piece, `${pieces}/`)).filter((piece) => piece !== undefined);
      parts.push(...inside);
      if (range === undefined) splits.push(pieces);
      else {
        const next = inside[0] && path.basename(inside[0].entry);
        outgoing.push({ entry: pieces, range, files: elementsIn(found, name, range), next });
      }
    }
  }
  parts.sort((a, b) => a.range.from - b.range.from);
  outgoing.sort((a, b) => a.range.from - b.range.from);
  return { name, parts, outgoing, splits };
}

/** Job files of an array's elements, by number. */
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

/** Numbers that are no jobs yet; only of one kind if that is said. */
export function countParts({ parts }: ArrayView, kind?: PartKind): number {
  return parts.reduce(
    (sum, part) => sum + (kind === undefined || part.kind === kind ? countIn(part.range) : 0),
    0,
  );
}

/** Whether some of it waits or is held: then it is not over, whatever its jobs do. */
export function isUnfinished({ parts, outgoing, splits }: ArrayView): boolean {
  return outgoing.length + splits.length > 0 || parts.some(({ kind }) => kind !== "cancelled");
}
