import fs from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Project } from "../../compose/project.js";
import { FjordError } from "../../job/error.js";
import { visible } from "../../job/quote.js";
import type { JobPlace } from "../../report/jobs.js";
import { refusalLogOf } from "../../spool/refuse.js";
import { EXIT, openExisting } from "../command.js";
import { endSignal } from "../main.js";
import { type Common, count, JOBS, needJobs, someOf, type Verb } from "../verb.js";
import { waitAloud } from "../wait-aloud.js";

interface Args extends Common {
  readonly jobs: string[];
  readonly follow: boolean;
  readonly attempt: string | undefined;
  readonly lines: string | undefined;
}

/** Which attempt, and only the last so many lines of what had been printed at first. */
interface Extract {
  readonly attempt: number | undefined;
  readonly lines: number | undefined;
}

/** Between two looks while it follows, ms. */
const LOOKS_APART = 200;
const CHUNK = 1 << 16;
/** Refused jobs that are told of one by one. */
const TOLD = 5;

/** `fjord log`: what jobs printed, or are printing. */
export const verb: Verb<Args> = {
  options: (y) =>
    y
      .positional("jobs", JOBS)
      .option("follow", {
        alias: "f",
        type: "boolean",
        default: false,
        describe: "go on until the jobs have ended",
      })
      .option("lines", {
        alias: "n",
        type: "string",
        requiresArg: true,
        describe: "only the last so many lines of each job",
      })
      .option("attempt", { type: "string", requiresArg: true, describe: "which [the last]" })
      .example("fjord log run7", "what its last attempt printed")
      .example("fjord log -n 3 'run*'", "the last three lines of each")
      .example("fjord log -f 'run*'", "of many, live, each line with its job's name"),

  async run(args) {
    const stop = args.follow ? endSignal() : undefined;
    needJobs(args.jobs);
    const attempt = wholeNumber(args.attempt, "--attempt: write its number.");
    const lines = wholeNumber(args.lines, "--lines: write a whole number, such as -n 10.");
    const project = await openExisting(args);
    const named = await project.jobs(args.jobs);
    const begun = named.filter(({ numbers }) => numbers === undefined);
    const places = begun.length > 0 ? begun : named; // of an array, those that are jobs by now
    const names = places.map(({ job }) => job);
    const tails = names.map((job) => new Tail(project, job, { attempt, lines }, names.length > 1));
    const silent: JobPlace[] = [];
    for (const [i, place] of places.entries()) {
      if ((await tails[i]?.print(!args.follow)) === false) silent.push(place);
    }
    if (stop !== undefined) return follow(project, args.project, tails, stop);
    if (silent.length > 0) {
      const lacks = whyNothing(project, silent, attempt);
      if (silent.length === places.length) {
        throw new FjordError("no-such-job", lacks.join("\n"), "fjord show JOB tells where it stands.");
      }
      for (const lack of lacks) process.stderr.write(`[fjord] ${lack}\n`);
    }
    return EXIT.ok;
  },
};

/** Read here: of `-n 5 -n 1` yargs makes the number 6. */
function wholeNumber(text: string | undefined, problem: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new FjordError("bad-usage", problem);
}

/** What is to be said of jobs that have no log: of those that have not begun in one line. */
function whyNothing(project: Project, silent: readonly JobPlace[], attempt: number | undefined): string[] {
  const refused: string[] = [];
  const lacking: JobPlace[] = [];
  for (const place of silent) {
    const reason = attempt === undefined ? refusalOf(project, place) : undefined;
    if (reason === undefined) lacking.push(place);
    else refused.push(`${visible(place.job)} was refused: ${visible(reason)}`);
  }
  const lines = refused.slice(0, TOLD);
  if (refused.length > TOLD) lines.push(`… and ${refused.length - TOLD} more that were refused.`);
  const [only, ...others] = lacking;
  const what = attempt === undefined ? "not begun yet" : `no attempt ${attempt}`;
  if (others.length > 0) lines.push(`${count(lacking.length)} have ${what}: ${someOf(lacking)}.`);
  else if (only !== undefined) lines.push(`${visible(only.job)} has ${what}.`);
  return lines;
}

/** Why its file was refused, if it was. */
function refusalOf({ layout }: Project, { file }: JobPlace): string | undefined {
  try {
    return fs.readFileSync(refusalLogOf(layout, file), "utf8").trimEnd();
  } catch {
    return undefined;
  }
}

async function follow(
  project: Project,
  named: string | undefined,
  tails: readonly Tail[],
  stop: AbortSignal,
): Promise<number> {
  let ended = false;
  const jobs = tails.map(({ job }) => job);
  const over = waitAloud(project, named, jobs, { signal: stop }).then(() => {
    ended = true;
  });
  while (!ended) {
    for (const tail of tails) await tail.print();
    await Promise.race([delay(LOOKS_APART), over]);
  }
  for (const tail of tails) await tail.print(true);
  return stop.aborted ? EXIT.interrupted : EXIT.ok;
}

/** What has been printed of one job's logs. */
class Tail {
  readonly job: string;
  readonly #project: Project;
  readonly #prefix: string;
  readonly #onlyAttempt: boolean;
  #attempt: number;
  #offset = 0;
  #rest = "";
  /** Until the first look. */
  #lines: number | undefined;

  constructor(project: Project, job: string, { attempt, lines }: Extract, isPrefixed: boolean) {
    this.job = job;
    this.#project = project;
    this.#prefix = isPrefixed ? `${visible(job)} | ` : "";
    this.#lines = lines;
    this.#onlyAttempt = attempt !== undefined;
    this.#attempt = attempt ?? lastAttempt(project, job);
  }

  /** Prints what is new. @returns whether there is such a log */
  async print(last = false): Promise<boolean> {
    let found = await this.#printOne();
    while (!this.#onlyAttempt && fs.existsSync(this.#pathOf(this.#attempt + 1))) {
      await this.#flush();
      this.#attempt++;
      this.#offset = 0;
      found = (await this.#printOne()) || found;
    }
    if (last) await this.#flush();
    return found;
  }

  async #printOne(): Promise<boolean> {
    let fd: number;
    try {
      fd = fs.openSync(this.#pathOf(this.#attempt), "r");
    } catch {
      return false;
    }
    try {
      if (this.#lines !== undefined) this.#offset = startOfLast(this.#lines, fd);
      this.#lines = undefined;
      for (;;) {
        const buffer = Buffer.allocUnsafe(CHUNK);
        const length = fs.readSync(fd, buffer, 0, CHUNK, this.#offset);
        if (length === 0) return true;
        this.#offset += length;
        await this.#write(buffer.subarray(0, length));
      }
    } finally {
      fs.closeSync(fd);
    }
  }

  /** As it is when it is one job's; else in whole lines, each with its job's name. */
  async #write(bytes: Buffer): Promise<void> {
    if (this.#prefix === "") return written(bytes);
    const lines = (this.#rest + bytes.toString("latin1")).split("\n");
    this.#rest = lines.pop() ?? "";
    const prefix = Buffer.from(this.#prefix).toString("latin1");
    const text = lines.map((line) => `${prefix}${line}\n`).join("");
    await written(Buffer.from(text, "latin1"));
  }

  async #flush(): Promise<void> {
    if (this.#rest !== "") await this.#write(Buffer.from("\n"));
  }

  #pathOf(attempt: number): string {
    return this.#project.layout.attemptLog(this.job, attempt);
  }
}

/** Where the last so many lines of a file begin, bytes. It is read from its end. What follows the last line break is a line. */
function startOfLast(lines: number, fd: number): number {
  const { size } = fs.fstatSync(fd);
  if (lines === 0) return size;
  let missing = lines;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - CHUNK);
    const bytes = Buffer.alloc(end - start);
    fs.readSync(fd, bytes, 0, bytes.length, start);
    for (let at = bytes.lastIndexOf(0x0a); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(0x0a, at - 1)) {
      if (start + at !== size - 1 && --missing === 0) return start + at + 1;
    }
    end = start;
  }
  return 0;
}

/** Resolves when it has been taken: a long log must not pile up in memory before a slow reader. */
function written(bytes: Buffer): Promise<void> {
  return new Promise((resolve) => process.stdout.write(bytes, () => resolve()));
}

function lastAttempt(project: Project, job: string): number {
  let attempt = 1;
  while (fs.existsSync(project.layout.attemptLog(job, attempt + 1))) attempt++;
  return attempt;
}
