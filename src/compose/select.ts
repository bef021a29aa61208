import { FjordError } from "../job/error.js";
import { nearest } from "../job/nearest.js";
import { quote } from "../job/quote.js";
import { readSelection } from "../job/selection.js";
import type { JobPlace } from "../report/jobs.js";

/**
 * The jobs that words name, each once, in the order of the words and then by name.
 *
 * @param jobs by name
 * @param words names, patterns and ranges; none: all jobs
 * @throws FjordError `no-such-job` for a name that is none, and when no job matches a pattern; `bad-usage`
 */
export function select(jobs: ReadonlyMap<string, JobPlace>, words: readonly string[]): JobPlace[] {
  if (words.length === 0) return [...jobs.values()].sort(byName);
  const chosen = new Map<string, JobPlace>();
  for (const word of words) {
    for (const pattern of patternsOf(word)) {
      const found = pattern.isGlob
        ? [...jobs.values()].filter(({ job }) => pattern.matches(job)).sort(byName)
        : [jobs.get(pattern.text) ?? jobs.get(word)].filter((place) => place !== undefined);
      if (found.length === 0) throw noSuchJob(pattern.text, pattern.isGlob, [...jobs.keys()]);
      for (const place of found) chosen.set(place.job, place);
    }
  }
  return [...chosen.values()];
}

/** What a word names. @throws FjordError `bad-usage` when that is too many */
export function patternsOf(word: string): ReturnType<typeof readSelection> {
  try {
    return readSelection(word);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FjordError("bad-usage", `${error.message}.`, "Name fewer jobs at once, or use a pattern.");
  }
}

/** Names that are compared with a mistyped one. */
const NEAR_AMONG = 10_000;

const collator = new Intl.Collator("en", { numeric: true });

/** `run2` before `run10`. */
function byName(a: JobPlace, b: JobPlace): number {
  return collator.compare(a.job, b.job) || (a.job < b.job ? -1 : 1);
}

function noSuchJob(word: string, isGlob: boolean, known: readonly string[]): FjordError {
  if (isGlob) {
    return new FjordError("no-such-job", `No job matches ${quote(word)}.`, "fjord list shows all jobs.");
  }
  const near = scriptOf(word, known) ?? nearest(word, known.slice(0, NEAR_AMONG));
  const hint = near === undefined ? "fjord list shows all jobs." : `Did you mean ${quote(near)}?`;
  return new FjordError("no-such-job", `There is no job ${quote(word)}.`, hint);
}

/** A script keeps its ending in its job's name, a job file does not: `hello.sh` and `hello` are taken for one another. */
function scriptOf(word: string, known: readonly string[]): string | undefined {
  const stem = word.replace(/\.[^.]+$/, "");
  return known.find((job) => job.startsWith(`${word}.`)) ?? known.find((job) => job === stem);
}
