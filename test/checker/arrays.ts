import fs from "node:fs";
import path from "node:path";

/**
 * Place of an array's number that was cancelled before it became a job. The number is ended, like a job in
 * `jobcancelled`.
 */
export const CANCELLED_NUMBER = "array cancelled";

const RANGE = String.raw`(\d+)(?:-(\d+)(?::(\d+))?)?`;
const PART = new RegExp(`^(held\\.|cancelled\\.|)${RANGE}$`);
const TAKEN_APART = /^(?:.+\.([^.]+)\.out|\.(.+)\.split)$/;

type Placed = readonly [job: string, place: string];

/** Access to the project's files. */
export interface Files {
  /** @returns an empty list when there is no such directory */
  list(dir: string): readonly string[];
  /** @returns undefined when there is no such file */
  read(file: string): string | undefined;
}

const ON_DISK: Files = { list: listed, read: (file) => ifThere(() => fs.readFileSync(file, "utf8")) };

/**
 * Finds the numbers of arrays that are not in the queue yet, and the files that should not be there. It reads only
 * names.
 */
export function readArrays(root: string, files = ON_DISK): { placed: Placed[]; litter: string[] } {
  const placed: Placed[] = [];
  const litter: string[] = [];
  for (const entry of files.list(path.join(root, "jobarrays"))) {
    const dir = path.join("jobarrays", entry);
    const [, begun, over] = /^\.(?:(.+)\.[^.]+\.new|(.+)\.[^.]+\.old)$/.exec(entry) ?? [];
    if (entry.startsWith(".")) litter.push(dir);
    if (begun !== undefined)
      placed.push(...inFile(path.join(root, dir, "array.ini"), begun, "array new", files));
    else if (over !== undefined || !entry.startsWith("."))
      inParts({ root, files, placed, litter }, dir, over ?? entry);
  }
  return { placed, litter };
}

/**
 * The elements of an array's file, which has one range. The list is empty when the file is not an array, or is gone.
 */
export function inFile(file: string, name: string, place: string, files = ON_DISK): Placed[] {
  const text = files.read(file) ?? "";
  const range = /^\[array\]\nrange: (.+)$/m.exec(text)?.[1];
  return range === undefined ? [] : numbersIn(range).map((n) => [`${name}_${n}`, place]);
}

interface Reading {
  readonly root: string;
  readonly files: Files;
  readonly placed: Placed[];
  readonly litter: string[];
}

function inParts(reading: Reading, dir: string, name: string): void {
  const { root, files, placed, litter } = reading;
  for (const entry of files.list(path.join(root, dir))) {
    const part = PART.exec(entry);
    const id = TAKEN_APART.exec(entry);
    if (part !== null) {
      const place = `array ${(part[1] || "waiting.").slice(0, -1)}`;
      for (const n of numbersIn(entry.slice(part[1]?.length))) placed.push([`${name}_${n}`, place]);
    } else if (id !== null) {
      litter.push(path.join(dir, entry));
      inParts(reading, path.join(dir, entry, `.pieces.${id[1] ?? id[2]}`), name);
    } else if (/_\d+\.ini$/.test(entry)) placed.push([entry.slice(0, -".ini".length), "array out"]);
    else if (entry !== "array.ini") litter.push(path.join(dir, entry));
  }
}

function numbersIn(range: string): number[] {
  const [, first, last = first, step = 1] = new RegExp(`^${RANGE}$`).exec(range) ?? [];
  const numbers: number[] = [];
  for (let n = Number(first); n <= Number(last); n += Number(step)) numbers.push(n);
  return numbers;
}

function listed(dir: string): string[] {
  return ifThere(() => fs.readdirSync(dir)) ?? [];
}

/** Reads a file or directory that another process may remove meanwhile. */
function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? ""))
      return undefined;
    throw error;
  }
}
