import { elementOf } from "../job/element.js";
import { FjordError } from "../job/error.js";
import { nearest } from "../job/nearest.js";
import type { Range } from "../job/numbers.js";
import { quote } from "../job/quote.js";
import type { Pattern } from "../job/selection.js";
import { shellWord } from "../job/shell-words.js";
import { listArrays } from "../spool/array-parts.js";
import { readJobFile } from "../spool/read-job-file.js";
import type { Site } from "../store/site.js";
import { findJobs, onePlaceEach } from "./find.js";
import { placeOfNumbers } from "./numbers.js";
import { isQueued, type JobPlace, type JobState } from "./places.js";
import { byName, patternsOf, Selection } from "./selection.js";

/** Largest number of names that are compared with a mistyped one. */
const NEAR_AMONG = 10_000;

/**
 * Finds the jobs that words name. Each job comes once, in the order of the words and then by name. A word can name an element as
 * soon as its array is in the queue, before a dispatcher has begun the array.
 *
 * @param words names, patterns (`run*`) and ranges (`run{1..50}`); an empty list selects all jobs
 * @throws FjordError `no-such-job` if no job has a name or matches a pattern; `bad-usage`
 */
export async function selectJobs(
  site: Site,
  words: readonly string[],
  states?: ReadonlySet<JobState>,
): Promise<JobPlace[]> {
  const { store, layout } = site;
  const jobs = await onePlaceEach(store, await findJobs(site, states));
  if (words.length === 0) return [...jobs.values()].sort(byName);
  for (const array of queuedArraysIn(words, jobs)) {
    const path = layout.queued(`${array}.ini`);
    const ranges = await rangesIn(site, path, array);
    if (ranges === undefined) continue;
    const place = placeOfNumbers(layout, { array, ranges }, "waiting", path);
    jobs.set(place.job, place);
  }
  const arrays = new Map<string, readonly Range[] | undefined>();
  for (const name of await listArrays(site)) {
    arrays.set(name, words.includes(name) ? await rangesIn(site, layout.arrayFile(name), name) : undefined);
  }
  const selection = new Selection(jobs, arrays);
  for (const word of words) {
    for (const pattern of patternsOf(word)) {
      const isFound = pattern.isGlob
        ? selection.addMatching(pattern)
        : selection.addNamed(pattern.text) || selection.addNamed(word); // a name may hold braces
      if (!isFound) throw await noSuchJob(site, pattern, [...jobs.keys()]);
    }
  }
  return selection.places(layout);
}

/** Names of the arrays in the queue of which words name elements. */
function queuedArraysIn(words: readonly string[], jobs: ReadonlyMap<string, JobPlace>): Set<string> {
  const isInQueue = (place: JobPlace | undefined) => place !== undefined && isQueued(place);
  const named = new Set<string>();
  for (const { text, isGlob } of words.flatMap(patternsOf)) {
    const array = elementOf(text)?.array;
    if (!isGlob && array !== undefined && !jobs.has(text) && isInQueue(jobs.get(array))) named.add(array);
    if (!isGlob) continue;
    for (const place of jobs.values()) {
      if (isQueued(place) && text.startsWith(`${place.job}_`)) named.add(place.job);
    }
  }
  return named;
}

/** Ranges of an array, read from its job file; undefined if the file is gone or does not describe an array. */
async function rangesIn({ store }: Site, path: string, array: string): Promise<readonly Range[] | undefined> {
  const seen = await readJobFile(store, path, `${array}.ini`);
  return seen.kind === "valid" ? seen.job.array?.ranges : undefined;
}

async function noSuchJob(
  { store, layout }: Site,
  { text, isGlob }: Pattern,
  known: readonly string[],
): Promise<FjordError> {
  if (isGlob) {
    return new FjordError("no-such-job", `No job matches ${quote(text)}.`, "fjord list shows all jobs.");
  }
  const message = `There is no job ${quote(text)}.`;
  const array = elementOf(text)?.array;
  if (array !== undefined && (await store.has(layout.arrayFile(array)))) {
    const hint = `fjord show ${shellWord(array)} tells which elements there are.`;
    return new FjordError("no-such-job", message, hint);
  }
  const near = scriptOf(text, known) ?? nearest(text, known.slice(0, NEAR_AMONG));
  const hint = near === undefined ? "fjord list shows all jobs." : `Did you mean ${quote(near)}?`;
  return new FjordError("no-such-job", message, hint);
}

/** Finds a script whose name is a word plus a suffix, such as the job `hello.sh` for the word `hello`. */
function scriptOf(word: string, known: readonly string[]): string | undefined {
  const stem = word.replace(/\.[^.]+$/, "");
  return known.find((job) => job.startsWith(`${word}.`)) ?? known.find((job) => job === stem);
}
