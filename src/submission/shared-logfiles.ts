import fs from "node:fs";
import path from "node:path";
import { COMPARED } from "../job/differing.js";
import { elementName, type Paths } from "../job/element.js";
import { numbersOf } from "../job/numbers.js";
import { quote } from "../job/quote.js";
import type { Sweep } from "../job/sweep.js";
import { resolvePath } from "../job/written-path.js";
import { fromHere } from "../project/current-directory.js";
import { homeDirectory } from "../project/home.js";
import type { Draft } from "./draft.js";

/** A job with the file for its results. */
interface Target extends Paths {
  readonly job: string;
}

/** Facts about one submission. */
interface Submission {
  /** Sweep from which the drafts were made, if there is one. */
  readonly sweep?: Sweep | undefined;
  /** Directory in which the workers are hired, if it is known. */
  readonly directory?: string | undefined;
  /** File that fjord writes when all jobs have ended, relative to the current directory. */
  readonly table?: string | undefined;
}

/** Path that stands for an unknown directory of the workers. No real path begins with it. */
const SOMEWHERE = "/\0";

/**
 * Finds jobs of one submission that would overwrite each other's results, because they have the same `logfile`.
 *
 * @returns lines for users
 */
export function sharedLogfiles(drafts: readonly Draft[], submission: Submission): string[] {
  const { sweep, directory = SOMEWHERE, table } = submission;
  const fileOf = fileFrom(directory);
  const jobs = new Map<string, string[]>();
  for (const { job, ...paths } of drafts.flatMap(targetsOf)) {
    const file = fileOf(paths);
    if (file === undefined) continue;
    const others = jobs.get(file);
    if (others === undefined) jobs.set(file, [job]);
    else others.push(job);
  }
  const shared = [...jobs].filter(([file, { length }]) => length > 1 && !isDevice(file));
  const lines = drafts.flatMap((draft) => largeArrayLine(draft, fileOf));
  if (shared.length > 0) lines.unshift(sharedLine(shared, neededIn(drafts, sweep, fileOf)));
  const [writer] = (table !== undefined && jobs.get(fromHere(table))) || [];
  if (writer !== undefined) {
    lines.push(`The table of --results overwrites the logfile of ${quote(writer)}, which is the same file.`);
  }
  return lines;
}

function targetsOf({ job, logfile, workdir, array }: Draft): Target[] {
  if (array === undefined) return [{ job, logfile, workdir }];
  if (logfile === undefined || array.size > COMPARED) return [];
  return Array.from(numbersOf(array.ranges), (number) => ({
    job: elementName(job, number),
    ...array.elements.pathsOf(number),
  }));
}

/** Returns the absolute path of a job's logfile; undefined if it has none. */
type FileOf = (paths: Paths) => string | undefined;

function fileFrom(directory: string): FileOf {
  return ({ logfile, workdir = "" }) =>
    logfile === undefined
      ? undefined
      : resolvePath(resolvePath(directory, workdir, homeDirectory), logfile, homeDirectory);
}

/** Output to a device overwrites nothing. */
function isDevice(file: string): boolean {
  try {
    return !file.startsWith(SOMEWHERE) && !fs.statSync(file).isFile();
  } catch {
    return false; // the file does not exist yet, or its directory is closed to this user
  }
}

function sharedLine(shared: readonly [file: string, jobs: readonly string[]][], needed: string[]): string {
  const [[file, [one = "", other = ""]] = ["", []]] = shared;
  const count = shared.reduce((sum, [, { length }]) => sum + length, 0);
  const what = shared.length === 1 ? "a logfile" : `${shared.length} logfiles`;
  const written = file.startsWith(SOMEWHERE) ? path.relative(SOMEWHERE, file) : file;
  return `${count} jobs share ${what}: ${quote(one)} and ${quote(other)} have "${written}". ${advice(needed)}`;
}

function advice(needed: readonly string[]): string {
  const places = needed.map((name) => `{${name}}`).join(" and ");
  const how =
    places === "" ? "Give each job a logfile of its own." : `Put ${places} into the name of the logfile.`;
  return `Each of them overwrites the results of another. ${how}`;
}

/**
 * Placeholders that the logfile lacks. With them, each job of the sweep has its own logfile. Without a sweep, this is about the
 * first array that lacks placeholders.
 */
function neededIn(drafts: readonly Draft[], sweep: Sweep | undefined, fileOf: FileOf): string[] {
  if (sweep === undefined)
    return drafts.map((draft) => neededInArray(draft, fileOf)).find(({ length }) => length > 0) ?? [];
  return sweep.needed((i) => (drafts[i] && fileOf(drafts[i])) ?? "");
}

function neededInArray({ logfile, array }: Draft, fileOf: FileOf): string[] {
  if (array === undefined || logfile === undefined) return [];
  return array.elements.needed((paths) => fileOf(paths) ?? "");
}

/** Checks a large array by the placeholders in its logfile, because a comparison of all elements would take too long. */
function largeArrayLine(draft: Draft, fileOf: FileOf): string[] {
  const { job, array } = draft;
  const needed = array !== undefined && array.size > COMPARED ? neededInArray(draft, fileOf) : [];
  if (array === undefined || needed.length === 0) return [];
  const first = fileOf(array.elements.pathsOf(array.ranges[0]?.from ?? 1));
  if (first === undefined || isDevice(first)) return [];
  return [`Some of the ${array.size} jobs of ${quote(job)} share a logfile. ${advice(needed)}`];
}
