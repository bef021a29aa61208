import fs from "node:fs";
import { FjordError } from "../../job/error.js";
import { visible } from "../../job/quote.js";
import { namesOf } from "../../jobs/numbers.js";
import { isEnd, isSingle, type JobPlace } from "../../jobs/places.js";
import { globsOf } from "../../jobs/selection.js";
import type { Project } from "../../library/project.js";
import { EXIT, endSignal, note, whenUnheard } from "../main.js";
import { Turn } from "../marked-lines.js";
import { whyNothing } from "../missing-logs.js";
import { openExisting } from "../open-project.js";
import { flag, text } from "../option.js";
import { type Extract, lastAttempt, Tail } from "../tail.js";
import { type Common, JOBS, needJobs, type Verb } from "../verb.js";
import { waitWithNews } from "../wait-with-news.js";

interface Args extends Common {
  readonly jobs: string[];
  readonly follow: boolean;
  readonly attempt: string | undefined;
  readonly lines: string | undefined;
}

/** Pause in ms between two reads of the logs with `--follow`. */
const READS_APART = 200;

/** `fjord log`: prints the output of jobs, also while they run. */
export const verb: Verb<Args> = {
  words: { jobs: JOBS },
  options: {
    follow: { ...flag("print new output until the jobs have ended"), alias: "f" },
    lines: { ...text("print only this number of last lines of each job"), alias: "n" },
    attempt: text("number of the attempt [the last one]"),
  },
  examples: [
    ["fjord log run7", "the output of its last attempt"],
    ["fjord log -n 3 'run*'", "the last three lines of each job"],
    ["fjord log -f 'run*'", "many jobs, live; each line begins with the job's name"],
  ],
  notes: "With -f a pattern also takes jobs that come later.",

  async run(args) {
    const stop = args.follow ? endSignal() : undefined;
    whenUnheard(() => process.exit(EXIT.ok)); // a log may be long
    needJobs(args.jobs);
    const attempt = wholeNumber(args.attempt, "--attempt: write the number of an attempt, such as 2.");
    const lines = wholeNumber(args.lines, "--lines: write a whole number, such as -n 10.");
    const project = await openExisting(args);
    const named = withoutOwnLog(project, await project.jobs(args.jobs), attempt);
    const isMarked = args.follow && globsOf(args.jobs).length > 0;
    if (stop !== undefined && !named.every(({ state }) => isEnd(state))) {
      return follow(project, args, named, { attempt, lines }, stop);
    }
    const begun = named.filter(isSingle);
    const places = begun.length > 0 ? begun : named; // elements of an array that have not begun have no log
    const names = places.map(({ job }) => job);
    const turn = isMarked || names.length > 1 ? new Turn() : undefined;
    const tails = names.map((job) => new Tail(project, job, { attempt, lines }, turn));
    const silent: JobPlace[] = [];
    for (const [i, place] of places.entries()) {
      if ((await tails[i]?.print(true)) === false) silent.push(place);
    }
    if (silent.length > 0) {
      const { lacks, isRemoved } = await whyNothing(project, silent, attempt);
      if (silent.length === places.length) {
        const code = isRemoved ? "job-refused" : "no-such-job";
        throw new FjordError(code, lacks.join("\n"), "fjord show JOB shows the job's state.");
      }
      for (const lack of lacks) note("fjord", lack);
    }
    return EXIT.ok;
  },
};

/** Reads a number from a text. If this were a number option, yargs would add the values of `-n 5 -n 1` to 6. */
function wholeNumber(text: string | undefined, problem: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new FjordError("bad-usage", problem);
}

/** Leaves out a job whose log is standard output. This command would read its own output, and the log would grow without end. */
function withoutOwnLog(project: Project, places: JobPlace[], attempt: number | undefined): JobPlace[] {
  const output = fs.fstatSync(1);
  if (!output.isFile()) return places;
  return places.filter(({ job }) => {
    const log = fs.statSync(project.layout.attemptLog(job, attempt ?? lastAttempt(project, job)), {
      throwIfNoEntry: false,
    });
    if (log === undefined || log.ino !== output.ino || log.dev !== output.dev) return true;
    note("fjord", `${visible(job)} is left out: this command prints into its log.`);
    return false;
  });
}

/**
 * Prints the output of jobs until all of them have ended. This includes jobs that begin later, and later jobs that match a
 * pattern.
 */
async function follow(
  project: Project,
  { project: named, jobs: words }: Args,
  places: readonly JobPlace[],
  extract: Extract,
  stop: AbortSignal,
): Promise<number> {
  const jobs = namesOf(places);
  const turn = jobs.length > 1 || globsOf(words).length > 0 ? new Turn() : undefined;
  const tails = new Map<string, Tail>();
  const live = new Set<string>();
  const ended = new Set<string>();
  const done = new AbortController();
  const over = waitWithNews(project, named, jobs, {
    signal: stop,
    patterns: words,
    onJob: (job) => {
      if (!tails.has(job)) tails.set(job, new Tail(project, job, extract, turn));
      live.add(job);
      ended.delete(job);
    },
    onEnd: ({ job }) => ended.add(job),
  }).finally(() => {
    done.abort();
  });
  over.catch(() => undefined); // the promise is awaited below
  while (!done.signal.aborted) {
    for (const job of [...live]) {
      const isLast = ended.has(job);
      if (isLast) live.delete(job); // this comes before the print, because a retry may begin during the print
      await tails.get(job)?.print(isLast);
    }
    await project.store.clock.sleep(READS_APART, done.signal);
  }
  await over;
  for (const job of live) await tails.get(job)?.print(true);
  return stop.aborted ? EXIT.interrupted : EXIT.ok;
}
