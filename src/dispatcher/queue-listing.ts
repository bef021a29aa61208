import { isIgnored } from "../job/name.js";
import { removeAbandoned } from "../spool/abandoned-files.js";
import { pauseAfter } from "../store/pause.js";
import type { Site } from "../store/site.js";

/** Result of a finished listing of the queue. */
export interface Listed {
  /** Number of names in the listing that the stock already knew. */
  readonly known: number;
  /** Names of files that have not been read yet. */
  readonly unread: string[];
  /** Whether one call made the whole listing, so that no job was handed out in between. */
  readonly isAtOnce: boolean;
}

/** Questions about a name that the stock answers. */
interface Knowledge {
  /** The file is a job that waits. */
  isWaiting(name: string): boolean;
  /** The file could not be moved. */
  isAside(name: string): boolean;
  /** The file could not be moved, and is left alone for now. */
  isLeftAlone(name: string): boolean;
}

/** A listing that has begun. */
interface Draft {
  length: number;
  known: number;
  readonly unread: string[];
  readonly ignored: string[];
  /** ms */
  took: number;
}

/** Least number of bytes that a name adds to a directory's size (ext4: 12 and the letters; tmpfs: 20). */
const BYTES_A_NAME = 16;
/** The pause between two listings is this many times as long as the listing. */
const SHARE = 20;
/** Longest time in ms that listing one name takes on a network. If a listing was slower, the store has stalled. */
const LONGEST_A_NAME = 0.02;

/**
 * Lists `jobqueue/`. A listing of 100,000 names takes about 100 ms. So a listing that takes longer is made less often, and a long
 * queue is listed in pieces between other work.
 */
export class QueueListing {
  readonly #site: Site;
  readonly #knowledge: Knowledge;
  #underWay: (Draft & { readonly pieces: AsyncGenerator<string[], void> }) | undefined;
  #isFirst = true;
  #length = 0;
  #took = 0;

  constructor(site: Site, knowledge: Knowledge) {
    this.#site = site;
    this.#knowledge = knowledge;
  }

  /** Number of entries that the last listing found. */
  get length(): number {
    return this.#length;
  }

  get isUnderWay(): boolean {
    return this.#underWay !== undefined;
  }

  /** Time that should pass between two listings, in ms. */
  get pause(): number {
    const atMost = this.#length * LONGEST_A_NAME * SHARE;
    return pauseAfter(this.#took, { times: SHARE, atLeast: 0, atMost });
  }

  /**
   * Lists the queue. For a long queue, this call only begins the listing, and `goOn` finishes it. The first listing is always
   * completed in one call, because no worker gets a job before its end.
   *
   * @returns undefined when the listing is not finished
   */
  async begin(): Promise<Listed | undefined> {
    if (this.#underWay !== undefined) return this.goOn();
    const { store, layout } = this.#site;
    const begin = store.clock.now();
    const draft: Draft = { length: 0, known: 0, unread: [], ignored: [], took: 0 };
    if (!(await this.#isLong())) {
      this.#add(draft, await store.list(layout.jobqueue));
      draft.took = store.clock.now() - begin;
      return this.#end(draft, true);
    }
    this.#underWay = { ...draft, pieces: store.pieces(layout.jobqueue) };
    let listed: Listed | undefined;
    do listed = await this.goOn();
    while (listed === undefined && this.#isFirst);
    return listed;
  }

  /** Lists another piece of the queue. @returns undefined when no listing has begun, or the listing is not finished */
  async goOn(): Promise<Listed | undefined> {
    const draft = this.#underWay;
    if (draft === undefined) return undefined;
    const { clock } = this.#site.store;
    const begin = clock.now();
    try {
      const { done, value } = await draft.pieces.next();
      this.#add(draft, value ?? []);
      draft.took += clock.now() - begin;
      if (done !== true) return undefined;
    } catch (error) {
      this.#underWay = undefined;
      throw error;
    }
    this.#underWay = undefined;
    return this.#end(draft, false);
  }

  /** Lists all names in one call, in pieces if there are many. */
  async names(): Promise<Set<string>> {
    const { store, layout } = this.#site;
    if (!(await this.#isLong())) return new Set(await store.list(layout.jobqueue));
    const names = new Set<string>();
    for await (const piece of store.pieces(layout.jobqueue)) for (const name of piece) names.add(name);
    return names;
  }

  /** Drops the listing that has begun. */
  async stop(): Promise<void> {
    await this.#underWay?.pieces.return();
    this.#underWay = undefined;
  }

  #add(draft: Draft, names: readonly string[]): void {
    draft.length += names.length;
    for (const name of names) {
      // Asked first, because most names of a long queue are those of waiting jobs.
      if (this.#knowledge.isWaiting(name)) {
        draft.known++;
        continue;
      }
      if (this.#knowledge.isAside(name)) draft.known++;
      if (isIgnored(name)) draft.ignored.push(name);
      else if (!this.#knowledge.isLeftAlone(name)) draft.unread.push(name);
    }
  }

  async #end({ length, known, unread, ignored, took }: Draft, isAtOnce: boolean): Promise<Listed> {
    this.#length = length;
    this.#took = took;
    // Processes that were killed while they submitted a job may have left temporary files. It is enough to remove them once.
    if (this.#isFirst) await removeAbandoned(this.#site.store, this.#site.layout.jobqueue, ignored);
    this.#isFirst = false;
    return { known, unread, isAtOnce };
  }

  async #isLong(): Promise<boolean> {
    const { store, layout } = this.#site;
    if (!this.#isFirst) return this.#length > store.long;
    return (await store.facts(layout.jobqueue)).size > store.long * BYTES_A_NAME;
  }
}
