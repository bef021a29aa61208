import type { Dependency } from "../job/after.js";
import { type Demand, NO_DEMAND } from "../job/demand.js";
import { elementOf, problemOfArray } from "../job/element.js";
import { jobName } from "../job/name.js";
import { countOf, type Range } from "../job/numbers.js";
import type { Recorder } from "../spool/actor.js";
import { JobOwners } from "../spool/job-owners.js";
import { isClosed, type JobFileReading, readJobFile } from "../spool/read-job-file.js";
import { Settling } from "../spool/settling.js";
import { WriteProbe } from "../spool/write-probe.js";
import { factsIfThere } from "../store/file-facts.js";
import { pauseAfter } from "../store/pause.js";
import { isSameFile } from "../store/stamp.js";
import type { Blocked } from "./dependencies.js";
import { compareTurns } from "./job-order.js";
import type { Waiting } from "./line.js";
import type { News } from "./news.js";
import { type Listed, QueueListing } from "./queue-listing.js";
import { Refusals } from "./refusals.js";
import { type DemandCount, WaitingJobs } from "./waiting.js";

/** Longest time in ms for which the dispatcher reads files before it hands out jobs, for the first reading and for later ones. */
const FIRST_READING = 100;
const LATER_READING = 50;
/** Pause before files are read again that were still being written, ms. It doubles, because most writers have finished soon. */
const UNSETTLED_PAUSE = { times: 1, atLeast: 2, atMost: 100 };

/** The files that wait in `jobqueue/`. Each file is read once. After that, only the directory's listing is compared. */
export class Stock {
  readonly #actor: Recorder;
  readonly #owners: JobOwners;
  readonly #news: Pick<News, "cancelled">;
  readonly #listing: QueueListing;
  readonly #refusals: Refusals;
  readonly #probe: WriteProbe;
  readonly #ready = new WaitingJobs();
  /** Valid jobs that wait for other jobs, by file. */
  readonly #blocked = new Map<string, { readonly waiting: Waiting; readonly after: readonly Dependency[] }>();
  /** Arrays that have not begun, by file. */
  readonly #arrays = new Map<string, readonly Range[]>();
  /** Names of the last listing whose files have not been read, in reverse order. */
  #unread: string[] = [];
  /** Number of files that were still being written when they were read. */
  #unsettled = 0;
  /** When such files were first found; undefined if there are none. */
  #unsettledSince: number | undefined;
  #readings = 0;
  /** Tells for the files of the last listing whether they are complete. */
  #settling: Settling | undefined;

  constructor(actor: Recorder, news: Pick<News, "refused" | "cancelled">) {
    const { store, layout, settings } = actor;
    this.#actor = actor;
    this.#owners = new JobOwners(layout, settings);
    this.#news = news;
    this.#probe = new WriteProbe(store.clock);
    this.#refusals = new Refusals(actor, (file, reason) => news.refused(file, reason));
    this.#listing = new QueueListing(actor, {
      isWaiting: (name) => this.#isWaiting(name),
      isAside: (name) => this.#refusals.isAside(name),
      isLeftAlone: (name) => this.#refusals.isLeftAlone(name),
    });
  }

  /** Number of jobs that could be handed out now. */
  get ready(): number {
    return this.#ready.size;
  }

  /** The demands of the ready jobs, in the order of the turns of their first jobs. */
  get demands(): DemandCount[] {
    return this.#ready.demands;
  }

  /** Number of jobs with at least this priority that could be handed out. */
  readyFrom(priority: number): number {
    return this.#ready.countFrom(priority);
  }

  /** Number of jobs in the queue and of files there that may become jobs. */
  get waiting(): number {
    let inArrays = 0;
    for (const ranges of this.#arrays.values()) inArrays += countOf(ranges);
    return this.#ready.size + this.#blocked.size + inArrays + this.#unsettled + this.#unread.length;
  }

  /** Arrays that have not begun, by file, and their numbers. */
  get arrays(): ReadonlyMap<string, readonly Range[]> {
    return this.#arrays;
  }

  /** Jobs that wait for other jobs. */
  get blocked(): Blocked[] {
    return [...this.#blocked].map(([file, { after }]) => ({ file, job: jobName(file), after }));
  }

  get hasBlocked(): boolean {
    return this.#blocked.size > 0;
  }

  /** Whether there are jobs in the queue and each of them waits for other jobs. */
  get isAllBlocked(): boolean {
    return this.#blocked.size > 0 && this.#blocked.size === this.waiting;
  }

  /** Whether a job of this name is in the queue, as far as this dispatcher knows. */
  holds(job: string): boolean {
    const array = elementOf(job)?.array;
    if (array !== undefined && this.#arrays.has(`${array}.ini`)) return true;
    return [job, `${job}.ini`].some((file) => this.#isWaiting(file));
  }

  #isWaiting(file: string): boolean {
    return this.#ready.has(file) || this.#blocked.has(file) || this.#arrays.has(file);
  }

  /** Whether the file has been read, or is left alone because it cannot be moved. */
  hasSeen(file: string): boolean {
    return this.#isWaiting(file) || this.#refusals.isLeftAlone(file);
  }

  /** Number of entries that the last listing found. */
  get listed(): number {
    return this.#listing.length;
  }

  get isListing(): boolean {
    return this.#listing.isUnderWay;
  }

  /** Whether a listing is not finished, or files of the last one have not been read. */
  get isBehind(): boolean {
    return this.#unread.length > 0 || this.isListing;
  }

  /** Whether files were still being written when they were read, so that they must be read again. */
  get hasUnsettled(): boolean {
    return this.#unsettled > 0;
  }

  /** Time after which these files should be read again, in ms; infinite if there are none. */
  get pauseBeforeUnsettled(): number {
    if (this.#unsettledSince === undefined) return Number.POSITIVE_INFINITY;
    const { rings, clock } = this.#actor.store;
    const { times, atLeast, atMost } = UNSETTLED_PAUSE;
    const took = clock.now() - this.#unsettledSince;
    return pauseAfter(took, { times, atLeast: rings ? atLeast : atMost, atMost });
  }

  /** Time that should pass between two listings, in ms. */
  get pauseBetweenListings(): number {
    return this.#listing.pause;
  }

  /**
   * Finds the files that have come to the queue or left it. For a long queue, this call only begins the listing, and `listOn`
   * finishes it.
   */
  async list(): Promise<void> {
    await this.#compare(await this.#listing.begin());
  }

  /** Continues the listing that has begun. */
  async listOn(): Promise<void> {
    await this.#compare(await this.#listing.goOn());
  }

  /** Gives up the listing that is under way, and ends what this object has started. */
  async stop(): Promise<void> {
    this.#probe.stop();
    await this.#listing.stop();
  }

  /** Reads files of the last listing that have not been read yet, for a limited time. */
  async readOn(): Promise<void> {
    if (this.#unread.length === 0) return;
    const { store, layout, settings } = this.#actor;
    const isFirst = this.#readings++ === 0;
    // At first there may be many files. One look at all open files serves them all, and the probe need not be started.
    const probe = isFirst ? undefined : this.#probe;
    this.#settling ??= new Settling(store, layout.jobqueue, settings.settle, probe);
    const until = store.clock.now() + (isFirst ? FIRST_READING : LATER_READING);
    const found: Waiting[] = [];
    while (this.#unread.length > 0 && store.clock.now() < until) {
      const file = this.#unread.pop() as string;
      const reading = readJobFile(store, layout.queued(file), file, this.#settling, this.#owners);
      const seen = reading instanceof Promise ? await reading : reading;
      if (seen.kind === "unsettled") this.#unsettled++;
      else if (seen.kind === "refused") await this.#refuse(file, seen.reason);
      else if (seen.kind === "valid") {
        const problem = this.#sort(file, seen, found);
        if (problem !== undefined) await this.#refuse(file, problem);
        else if (this.#refusals.hasRefused(file)) await this.#refusals.forgive(file);
      }
    }
    if (this.#unsettled === 0) this.#unsettledSince = undefined;
    else this.#unsettledSince ??= store.clock.now();
    found.sort(compareTurns);
    for (const job of found) this.#ready.push(job);
  }

  /** Takes out the job whose turn comes first among the jobs whose demand fits. */
  take(fits: (demand: Demand) => boolean): Waiting | undefined {
    return this.#ready.take(fits);
  }

  /** Puts back a job that could not be handed out. The job comes first again. */
  putBack(job: Waiting): void {
    this.#ready.unshift(job);
  }

  /** Notes that all jobs that this job waited for have ended. */
  free(file: string): void {
    const waiting = this.#blocked.get(file)?.waiting;
    if (waiting === undefined) return;
    this.#blocked.delete(file);
    this.#ready.push(waiting);
  }

  /** Notes that a blocked job, or an array, has been taken out of the queue. */
  forget(file: string): void {
    this.#blocked.delete(file);
    this.#arrays.delete(file);
  }

  /** Notes that a file cannot be moved out of the queue, and leaves it alone for a while. */
  setAside(file: string, error: unknown): void {
    this.#refusals.setAside(file, error);
  }

  /** Whether the queue itself refuses every change, and not only one file cannot be moved. */
  isClosed(): Promise<boolean> {
    return isClosed(this.#actor.store, this.#actor.layout.jobqueue);
  }

  /** Notes that somebody has taken the job out of the queue: it was cancelled, held or removed. */
  async noteWithdrawn(waiting: Waiting): Promise<void> {
    const { store, layout } = this.#actor;
    const cancelled = await factsIfThere(store, layout.ended("jobcancelled", waiting.file));
    if (cancelled !== undefined && isSameFile(cancelled, waiting)) this.#news.cancelled(1);
  }

  /** Compares a finished listing with the known files. */
  async #compare(listed: Listed | undefined): Promise<void> {
    if (listed === undefined) return;
    const known = this.#ready.size + this.#blocked.size + this.#arrays.size + this.#refusals.aside;
    // During a listing in pieces, jobs are handed out. The listing has counted these jobs, so it may count more names than the
    // stock knows now.
    if (listed.isAtOnce ? listed.known !== known : listed.known < known) await this.#findWithdrawn();
    this.#unread = listed.unread.sort().reverse();
    this.#settling = undefined;
    this.#unsettled = 0;
    if (this.#unread.length === 0) this.#unsettledSince = undefined;
  }

  /** Finds the jobs that have left the queue. This needs a set of all names, so it is done only when jobs are missing. */
  async #findWithdrawn(): Promise<void> {
    const there = await this.#listing.names();
    const gone = this.#ready.takeOut((file) => !there.has(file));
    for (const [file, { waiting }] of this.#blocked) {
      if (there.has(file)) continue;
      this.#blocked.delete(file);
      gone.push(waiting);
    }
    for (const file of this.#arrays.keys()) if (!there.has(file)) this.#arrays.delete(file);
    this.#refusals.forget((file) => !there.has(file));
    for (const waiting of gone) await this.noteWithdrawn(waiting);
  }

  /**
   * Puts a valid file where it belongs: into `found`, or among the blocked jobs or the arrays. The function is synchronous,
   * because a promise for each job would cost memory.
   *
   * @returns the reason why the file must be refused, if there is one
   */
  #sort(file: string, { job, bytes, mtimeMs, ino }: ValidJobFile, found: Waiting[]): string | undefined {
    const { priority, after, array } = job;
    const waiting = { file, priority, demand: NO_DEMAND, mtimeMs, ino };
    const problem = array && problemOfArray(file, bytes, { ...job, array });
    if (problem !== undefined) return problem;
    if (array !== undefined) this.#arrays.set(file, array.ranges);
    else if (after.length > 0) this.#blocked.set(file, { waiting, after });
    else found.push(waiting);
    return undefined;
  }

  async #refuse(file: string, reason: string): Promise<void> {
    if (!(await this.#refusals.refuse(file, reason))) this.#unsettled++;
  }
}

type ValidJobFile = JobFileReading & { readonly kind: "valid" };
