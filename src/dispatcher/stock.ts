import type { Dependency } from "../job/after.js";
import { elementOf, problemOfArray } from "../job/element.js";
import { isIgnored, jobName } from "../job/name.js";
import { countOf, type Range } from "../job/numbers.js";
import type { Layout } from "../project/layout.js";
import type { Settings } from "../project/settings.js";
import { removeAbandoned } from "../spool/abandoned.js";
import { factsIfThere } from "../spool/file-facts.js";
import { isClosed, look } from "../spool/intake.js";
import { JobOwners } from "../spool/job-owners.js";
import type { Ledger } from "../spool/ledger.js";
import { refusalLogOf, refuse, refuseUndecodable } from "../spool/refuse.js";
import { Settling } from "../spool/settling.js";
import { isSameFile } from "../spool/stamp.js";
import { isDenied, isTrouble, type Store } from "../spool/store.js";
import type { Blocked } from "./dependencies.js";
import { type Waiting, WaitingJobs } from "./waiting.js";

/** What becomes of files in the queue, for whoever runs the dispatcher. */
interface StockEvents {
  onRefused(file: string, reason: string): void;
  /** By a command, while it waited. */
  onCancelled(): void;
}

/** What a listing of the queue has found so far. */
interface Listing {
  listed: number;
  /** Of those that were known. */
  found: number;
  readonly unseen: string[];
  readonly ignored: string[];
  /** ms */
  took: number;
}

/** How long a look at the queue may keep the dispatcher from handing out, ms: the first one, and any other. */
const FIRST_LOOK = 100;
const LATER_LOOK = 50;
/** For so long, ms, a file that could not be moved is left alone. */
const ASIDE = 10_000;
/** A name takes at least so much of a directory's size, where that tells anything (ext4: 12 and its letters, tmpfs: 20). */
const BYTES_A_NAME = 16;
/** The share of time that listing a long queue may take. */
const LISTING_SHARE = 20;
/** What it may take a name, ms, on a network; a listing that took longer was kept waiting by the store. */
const LISTING_A_NAME = 0.02;

/**
 * What waits in `jobqueue/`. Each file is read once; after that only the directory's listing is compared. A listing of
 * 100,000 names takes some 100 ms, so it is made the more rarely the longer it takes, and a long one piece by piece beside other work.
 */
export class Stock {
  readonly #store: Store;
  readonly #layout: Layout;
  readonly #settings: Settings;
  readonly #owners: JobOwners;
  readonly #ledger: Ledger;
  readonly #tell: StockEvents;
  readonly #ready = new WaitingJobs();
  /** Valid jobs that wait for others, by file. */
  readonly #blocked = new Map<string, { readonly waiting: Waiting; readonly after: readonly Dependency[] }>();
  /** Arrays that have not begun, by file. */
  readonly #arrays = new Map<string, readonly Range[]>();
  /** Files that could not be moved, and when that was tried. */
  readonly #aside = new Map<string, number>();
  /** Names of jobs that were refused in this dispatcher's time, and have not come back as valid ones. */
  readonly #refused = new Set<string>();
  /** Names of the last listing that have not been looked at. */
  #unseen: string[] = [];
  /** One of a long queue, which goes on beside other work. */
  #listing: (Listing & { readonly pieces: AsyncGenerator<string[], void> }) | undefined;
  #unsettled = 0;
  /** Whether what killed submitters have left was looked for: once is enough. */
  #hasTidied = false;
  #listed = 0;
  #listingTook = 0;
  #looks = 0;

  constructor(store: Store, layout: Layout, settings: Settings, ledger: Ledger, tell: StockEvents) {
    this.#store = store;
    this.#layout = layout;
    this.#settings = settings;
    this.#owners = new JobOwners(layout, settings);
    this.#ledger = ledger;
    this.#tell = tell;
  }

  /** Jobs that could be handed out now. */
  get ready(): number {
    return this.#ready.size;
  }

  /** Everything that lies in the queue and is or may become a job. */
  get waiting(): number {
    let inArrays = 0;
    for (const ranges of this.#arrays.values()) inArrays += countOf(ranges);
    return this.#ready.size + this.#blocked.size + inArrays + this.#unsettled + this.#unseen.length;
  }

  /** Arrays that have not begun, and their numbers. */
  get arrays(): ReadonlyMap<string, readonly Range[]> {
    return this.#arrays;
  }

  /** How many jobs of at least this priority could be handed out. */
  readyFrom(priority: number): number {
    return this.#ready.countFrom(priority);
  }

  /** Jobs that wait for others to end. */
  get blocked(): Blocked[] {
    return [...this.#blocked].map(([file, { after }]) => ({ file, job: jobName(file), after }));
  }

  get hasBlocked(): boolean {
    return this.#blocked.size > 0;
  }

  /** Whether nothing is there but jobs that wait for others. */
  get isAllBlocked(): boolean {
    return this.#blocked.size > 0 && this.#blocked.size === this.waiting;
  }

  /** Whether a job of this name lies in the queue, as far as is known. */
  holds(job: string): boolean {
    const array = elementOf(job)?.array;
    if (array !== undefined && this.#arrays.has(`${array}.ini`)) return true;
    return [job, `${job}.ini`].some((file) => this.#isWaiting(file));
  }

  #isWaiting(file: string): boolean {
    return this.#ready.has(file) || this.#blocked.has(file) || this.#arrays.has(file);
  }

  /** Entries in the directory when it was last listed. */
  get listed(): number {
    return this.#listed;
  }

  /** Whether there is a listing to be ended, or files of it are still to be read. */
  get isBehind(): boolean {
    return this.#unseen.length > 0 || this.isListing;
  }

  get isListing(): boolean {
    return this.#listing !== undefined;
  }

  /** ms until a file that was still being written should be looked at again; undefined when there is none. */
  get nextLook(): number | undefined {
    return this.#unsettled > 0 ? 100 : undefined;
  }

  /** ms that should pass between two listings. */
  get pauseBetweenListings(): number {
    return Math.min(this.#listingTook, this.#listed * LISTING_A_NAME) * LISTING_SHARE;
  }

  /**
   * Lists the queue anew: finds what came and what was withdrawn. A long one is only begun with, and ended by `listOn`; but the
   * first one, before which nobody has work, is made at once.
   */
  async list(): Promise<void> {
    if (this.isListing) return this.listOn();
    const { jobqueue } = this.#layout;
    const begin = this.#store.clock.now();
    const listing = { listed: 0, found: 0, unseen: [], ignored: [], took: 0 };
    if (await this.#isLong()) {
      this.#listing = { ...listing, pieces: this.#store.pieces(jobqueue) };
      do await this.listOn();
      while (!this.#hasTidied && this.isListing);
    } else {
      this.#see(listing, await this.#store.list(jobqueue));
      listing.took = this.#store.clock.now() - begin;
      await this.#endListing(listing, listing.found !== this.#known);
    }
  }

  /** Another piece of the listing that is under way. */
  async listOn(): Promise<void> {
    const listing = this.#listing;
    if (listing === undefined) return;
    const begin = this.#store.clock.now();
    try {
      const { done, value } = await listing.pieces.next();
      this.#see(listing, value ?? []);
      listing.took += this.#store.clock.now() - begin;
      if (done !== true) return;
      // What was handed out meanwhile may have been found before: so many less are known than were.
      await this.#endListing(listing, listing.found < this.#known);
    } catch (error) {
      this.#listing = undefined;
      throw error;
    }
    this.#listing = undefined;
  }

  /** Gives up the listing that is under way. */
  async stop(): Promise<void> {
    await this.#listing?.pieces.return();
    this.#listing = undefined;
  }

  #see(listing: Listing, names: readonly string[]): void {
    listing.listed += names.length;
    for (const name of names) {
      if (this.#isWaiting(name) || this.#aside.has(name)) listing.found++;
      if (isIgnored(name)) listing.ignored.push(name);
      else if (!this.hasSeen(name)) listing.unseen.push(name);
    }
  }

  get #known(): number {
    return this.#ready.size + this.#blocked.size + this.#arrays.size + this.#aside.size;
  }

  async #endListing(listing: Listing, isMissingSome: boolean): Promise<void> {
    this.#listed = listing.listed;
    if (isMissingSome) await this.#findWithdrawn();
    this.#unseen = listing.unseen.sort().reverse();
    this.#unsettled = 0;
    if (!this.#hasTidied) await removeAbandoned(this.#store, this.#layout, listing.ignored);
    this.#hasTidied = true;
    this.#listingTook = listing.took;
  }

  /** Reads files of the last listing that were not read yet, for a moment. */
  async lookOn(): Promise<void> {
    if (this.#unseen.length === 0) return;
    const settling = new Settling(this.#store, this.#layout.jobqueue, this.#settings.settle);
    const until = this.#store.clock.now() + (this.#looks++ === 0 ? FIRST_LOOK : LATER_LOOK);
    const found: Waiting[] = [];
    while (this.#unseen.length > 0 && this.#store.clock.now() < until) {
      const file = this.#unseen.pop() as string;
      const seen = await look(this.#store, this.#layout.queued(file), file, settling, this.#owners);
      if (seen.kind === "valid") {
        const { priority, after, array } = seen.job;
        const waiting = { file, priority, mtimeMs: seen.mtimeMs, ino: seen.ino };
        const problem = array && problemOfArray(file, seen.bytes, { ...seen.job, array });
        if (problem !== undefined) await this.#refuse(file, problem);
        else if (array !== undefined) this.#arrays.set(file, array.ranges);
        else if (after.length > 0) this.#blocked.set(file, { waiting, after });
        else found.push(waiting);
        if (this.#refused.delete(jobName(file))) await this.#forgive(file);
      } else if (seen.kind === "unsettled") {
        this.#unsettled++;
      } else if (seen.kind === "refused") {
        await this.#refuse(file, seen.reason);
      }
    }
    found.sort((a, b) => a.mtimeMs - b.mtimeMs || (a.file < b.file ? -1 : 1));
    for (const job of found) this.#ready.push(job);
  }

  /** The next job: higher priority first, then age. It is out of the stock from here on. */
  take(): Waiting | undefined {
    return this.#ready.shift();
  }

  /** All that it waited for has ended. */
  free(file: string): void {
    const waiting = this.#blocked.get(file)?.waiting;
    if (waiting === undefined) return;
    this.#blocked.delete(file);
    this.#ready.push(waiting);
  }

  /** A job that waited for others, or an array, has been taken out of the queue. */
  forget(file: string): void {
    this.#blocked.delete(file);
    this.#arrays.delete(file);
  }

  /** Puts a job back that could not be handed out: it is first again. */
  putBack(job: Waiting): void {
    this.#ready.unshift(job);
  }

  /**
   * A file that cannot be moved must not stop the others: it is told of once, left alone, and tried again after a while,
   * since what refuses it may be a directory that somebody puts right.
   */
  setAside(file: string, error: unknown): void {
    const isTold = this.#aside.has(file);
    this.#aside.set(file, this.#store.clock.now());
    if (isTold) return;
    const why = error instanceof Error ? error.message : String(error);
    this.#tell.onRefused(file, `${file}: cannot be moved out of the queue (${why}); chown or remove it.`);
  }

  async #isLong(): Promise<boolean> {
    if (this.#hasTidied) return this.#listed > this.#store.long;
    return (await this.#store.facts(this.#layout.jobqueue)).size > this.#store.long * BYTES_A_NAME;
  }

  /** Finds what is not there any more. Only when something is missing, as it takes a set of all names. */
  async #findWithdrawn(): Promise<void> {
    const there = new Set<string>();
    const { jobqueue } = this.#layout;
    if (await this.#isLong()) {
      for await (const piece of this.#store.pieces(jobqueue)) for (const name of piece) there.add(name);
    } else for (const name of await this.#store.list(jobqueue)) there.add(name);
    const gone = this.#ready.takeOut((file) => !there.has(file));
    for (const [file, { waiting }] of this.#blocked) {
      if (there.has(file)) continue;
      this.#blocked.delete(file);
      gone.push(waiting);
    }
    for (const file of this.#arrays.keys()) if (!there.has(file)) this.#arrays.delete(file);
    for (const file of this.#aside.keys()) if (!there.has(file)) this.#aside.delete(file);
    for (const waiting of gone) await this.noteWithdrawn(waiting);
  }

  /** Somebody has taken it out of the queue: cancelled, held, or just removed it. */
  async noteWithdrawn(waiting: Waiting): Promise<void> {
    const cancelled = await factsIfThere(this.#store, this.#layout.ended("jobcancelled", waiting.file));
    if (cancelled !== undefined && isSameFile(cancelled, waiting)) this.#tell.onCancelled();
  }

  /** Whether the queue itself takes nothing, and not one file alone cannot be moved. */
  isClosed(): Promise<boolean> {
    return isClosed(this.#store, this.#layout.jobqueue);
  }

  /** Whether it is known what this file is, or that it cannot be moved. */
  hasSeen(name: string): boolean {
    const tried = this.#aside.get(name) ?? Number.NEGATIVE_INFINITY;
    return this.#isWaiting(name) || this.#store.clock.now() - tried < ASIDE;
  }

  /** It has been put right: why it was refused does not hold any more. The ledger remembers. */
  async #forgive(file: string): Promise<void> {
    await this.#store.unlink(refusalLogOf(this.#layout, file)).catch(() => undefined);
  }

  async #refuse(file: string, reason: string): Promise<void> {
    try {
      if (file.includes("\ufffd")) {
        const moved = await refuseUndecodable(this.#layout, this.#ledger);
        for (const name of moved) this.#tell.onRefused(name, reason);
        if (moved.length > 0) return;
      }
      if (await refuse(this.#store, this.#layout, this.#ledger, this.#layout.queued(file), reason)) {
        this.#refused.add(jobName(file));
        this.#tell.onRefused(file, reason);
      }
    } catch (error) {
      if (!isTrouble(error)) throw error;
      if (isDenied(error)) this.setAside(file, error);
      else this.#unsettled++; // no room to say why: it stays, and is looked at again
    }
  }
}
