import { type FileMark, isSameLife, markOf } from "../store/stamp.js";

/** A fact about a job in the ledgers. */
export interface Told {
  /** Stamps of the job's file, which distinguish it from other files with the same name. Lines of older versions have none. */
  readonly stamps: readonly string[];
}

/** The facts that determine the order of a job's runs. */
export interface Ordered extends Told {
  readonly attempt: number;
  /** ISO 8601, by the worker's clock. If no line records the start, this is the time of the first line about the run. */
  readonly start: string;
}

/**
 * Separates the facts about one job name by lives. A life is one file, from its submission until its removal. If a job replaces
 * its own file, its life continues, because the line about the end of that attempt has the stamps of both files.
 */
export function livesOf<T extends Told>(all: readonly T[]): T[][] {
  return all.length < 2 ? all.map((one) => [one]) : grouped(all.map((one) => [one, one.stamps.map(markOf)]));
}

/** The facts about the life of one file. A fact without a stamp belongs to every life of its job name. */
export function lifeOf<T extends Told>(all: readonly T[], file: FileMark): T[] {
  const marked = all.filter(({ stamps }) => stamps.length > 0);
  const [own] = grouped<T | undefined>([
    [undefined, [file]],
    ...marked.map((one): Marked<T> => [one, one.stamps.map(markOf)]),
  ]);
  const life = new Set(own);
  return all.filter((one) => one.stamps.length === 0 || life.has(one));
}

/** Earliest change time of the job's file, by the store's clock, ms; NaN without a stamp. A rename sets the change time. */
function timeOf({ stamps }: Told): number {
  return stamps.length === 0 ? Number.NaN : Math.min(...stamps.map((stamp) => markOf(stamp).ctimeMs));
}

/** Orders the runs of one life by number. If logs were removed, a number can occur twice in a life. Then the time decides. */
export function byNumber(a: Ordered, b: Ordered): number {
  return a.attempt - b.attempt || byTime(a, b);
}

/** Orders by the clock of the store. Lines of older versions have only the times by their workers' clocks. */
export function byTime(a: Ordered, b: Ordered): number {
  const apart = timeOf(a) - timeOf(b);
  if (apart < 0 || apart > 0) return apart;
  return a.start < b.start ? -1 : 1;
}

/**
 * Whether one end came after another in the life of one job. It came later if its attempt number is higher, or if the change time
 * of the job's file is later. The time is needed because numbers begin at 1 again when the logs are removed. The two may
 * contradict each other after a step of the store's clock. A job may then get one retry too few, but it never gets endless
 * retries.
 */
export function isAfter(
  one: Pick<Ordered, "attempt" | "stamps">,
  other: Pick<Ordered, "attempt" | "stamps">,
): boolean {
  return one.attempt > other.attempt || timeOf(one) > timeOf(other);
}

type Marked<T> = readonly [one: T, marks: readonly FileMark[]];

/** Groups facts by life. The lives come in the order of their first members. */
function grouped<T>(all: readonly Marked<T>[]): T[][] {
  const marks = new Map<string, FileMark>();
  const sets = new DisjointSets();
  const keyed = all.map(([one, own]) => {
    const [first = "", ...others] = own.map((mark) => {
      const key = keyOf(mark);
      marks.set(key, mark);
      return key;
    });
    for (const other of others) sets.join(first, other);
    return { one, key: first };
  });
  for (const near of comparable([...marks.values()])) {
    for (const [i, a] of near.entries()) {
      for (const b of near.slice(i + 1)) if (isSameLife(a, b)) sets.join(keyOf(a), keyOf(b));
    }
  }
  const lives = groupBy(keyed, ({ key }) => sets.find(key));
  return [...lives.values()].map((life) => life.map(({ one }) => one));
}

/**
 * Groups marks that can belong to one life, which are the marks with the same inode. If inodes are unknown, all marks are one
 * group.
 */
function comparable(marks: readonly FileMark[]): FileMark[][] {
  if (marks.some(({ ino }) => ino === 0)) return [[...marks]];
  return [...groupBy(marks, ({ ino }) => ino).values()];
}

function keyOf({ ino, mtimeMs, bornMs }: FileMark): string {
  return ino !== 0 && bornMs ? `${ino}/${bornMs}` : `${ino}:${mtimeMs}`;
}

function groupBy<T, K>(all: readonly T[], keyOf: (one: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
}

/** Disjoint sets (union-find). */
class DisjointSets {
  readonly #parents = new Map<string, string>();

  find(key: string): string {
    let root = key;
    for (let up = this.#parents.get(root); up !== undefined; up = this.#parents.get(root)) root = up;
    if (root !== key) this.#parents.set(key, root);
    return root;
  }

  join(a: string, b: string): void {
    const [one, other] = [this.find(a), this.find(b)];
    if (one !== other) this.#parents.set(other, one);
  }
}
