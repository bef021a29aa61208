import { elementOf } from "../job/element.js";
import { jobName } from "../job/name.js";
import { contains, countIn, formatRange, parseRange, type Range } from "../job/numbers.js";
import type { Layout } from "../project/layout.js";
import { isErrno, type Store } from "./store.js";

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
  readonly entry: string;
  readonly range: Range;
  /** The job files that are there still. */
  readonly files: readonly string[];
  /** The part that comes after them, when it has not been moved to its place yet. */
  readonly next: string | undefined;
}

/** An array as its directory tells of it now. */
export interface ArrayView {
  readonly name: string;
  /** By number. */
  readonly parts: readonly ArrayPart[];
  readonly outgoing: readonly Outgoing[];
  /** Parts that were being split when somebody was killed. */
  readonly splits: readonly string[];
}

const OUT = ".out";
const NEXT = "next.";
const SPLIT = /^\.(.+)\.split$/;
const PREFIX: Readonly<Record<PartKind, string>> = { waiting: "", held: "held.", cancelled: "cancelled." };

/** The directory of numbers with which it is so. */
export function partEntry(kind: PartKind, range: Range): string {
  return `${PREFIX[kind]}${formatRange(range)}`;
}

export function outEntry(range: Range): string {
  return `${formatRange(range)}${OUT}`;
}

export function nextEntry(range: Range): string {
  return `${NEXT}${formatRange(range)}`;
}

/** Where a part is taken apart: in the part itself first, then in what that was renamed to. */
export function splitEntries(id: string): { readonly pieces: string; readonly split: string } {
  return { pieces: `.pieces.${id}`, split: `.${id}.split` };
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
  return (await namesIn(store, layout.jobarrays)).filter((name) => !name.startsWith("."));
}

/**
 * Reads an array's directory; undefined when there is none. What moves meanwhile is met: the directory is read until it
 * has stayed the same.
 */
export async function readArray(store: Store, layout: Layout, name: string): Promise<ArrayView | undefined> {
  const dir = layout.array(name);
  for (let names = await namesIn(store, dir), look = 0; ; look++) {
    if (names.length === 0) return undefined;
    const view = await viewOf(store, layout, name, names);
    const again = await namesIn(store, dir);
    if (look > 10 || (again.length === names.length && again.every((one) => names.includes(one))))
      return view;
    names = again;
  }
}

async function viewOf(
  store: Store,
  layout: Layout,
  name: string,
  names: readonly string[],
): Promise<ArrayView> {
  const parts: ArrayPart[] = [];
  const outgoing: Outgoing[] = [];
  const splits: string[] = [];
  for (const entry of names) {
    const part = partOf(entry);
    const id = SPLIT.exec(entry)?.[1];
    if (part !== undefined) parts.push(part);
    else if (entry.endsWith(OUT)) {
      const range = parseRange(entry.slice(0, -OUT.length));
      if (range === undefined) continue;
      const out = outgoingOf(entry, range, name, await namesIn(store, layout.inArray(name, entry)));
      outgoing.push(out);
      const next = out.next === undefined ? undefined : partOf(out.next.slice(NEXT.length));
      if (next !== undefined) parts.push({ ...next, entry: `${entry}/${out.next}` });
    } else if (id !== undefined) {
      splits.push(entry);
      const base = `${entry}/${splitEntries(id).pieces}/`;
      for (const piece of await namesIn(store, layout.inArray(name, entry, splitEntries(id).pieces))) {
        const found = partOf(piece, base);
        if (found !== undefined) parts.push(found);
      }
    }
  }
  parts.sort((a, b) => a.range.from - b.range.from);
  outgoing.sort((a, b) => a.range.from - b.range.from);
  return { name, parts, outgoing, splits };
}

function outgoingOf(entry: string, range: Range, name: string, names: readonly string[]): Outgoing {
  const files = names.filter((file) => {
    const element = elementOf(jobName(file));
    return element?.array === name && contains(range, element.number);
  });
  const numberOf = (file: string) => elementOf(jobName(file))?.number ?? 0;
  files.sort((a, b) => numberOf(a) - numberOf(b));
  // Whoever was killed here before may have meant to make more or fewer of them jobs.
  const nexts = names.flatMap((one) => {
    const next = one.startsWith(NEXT) ? parseRange(one.slice(NEXT.length)) : undefined;
    return next !== undefined && next.from > range.to ? [{ one, from: next.from }] : [];
  });
  nexts.sort((a, b) => a.from - b.from);
  return { entry, range, files, next: nexts[0]?.one };
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

async function namesIn(store: Store, dir: string): Promise<string[]> {
  try {
    return await store.list(dir);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ESTALE")) return [];
    throw error;
  }
}
