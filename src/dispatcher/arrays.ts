import { elementOf } from "../job/element.js";
import { countIn } from "../job/numbers.js";
import { mendArray } from "../spool/array-changes.js";
import { expandPart, sendOut } from "../spool/array-elements.js";
import { type ArrayView, countParts, isUnfinished, listArrays, readArray } from "../spool/array-parts.js";
import { adoptArrays, beginArray } from "../spool/arrays.js";
import { stampAt } from "../spool/finish.js";
import { JobOwners } from "../spool/job-owners.js";
import type { Site } from "../store/site.js";
import type { Blocked } from "./dependencies.js";
import type { News } from "./news.js";
import { compareArrays, isWaitingIn, type OpenArray, readOpenArray, waitingIn } from "./open-array.js";

/** The waiting jobs that the dispatcher could hand out. */
interface Ready {
  /** Number of jobs that have at least this priority. */
  readyFrom(priority: number): number;
}

/** Largest number of elements that one call makes into jobs. */
const BLOCK = 500;

/**
 * S11: makes elements of arrays into jobs, only as many as the workers will soon need. Each look reads the arrays' directories
 * again, so the next dispatcher can continue.
 */
export class Arrays {
  readonly #site: Site;
  readonly #news: Pick<News, "cancelled" | "troubleWithArray">;
  readonly #owners: JobOwners;
  readonly #open = new Map<string, OpenArray>();
  /** Directories in which a process prepares a new array, and the time when this dispatcher first saw each (monotonic, ms). */
  #beginnings: ReadonlyMap<string, number> = new Map();
  #isBeginning = false;
  /** Arrays whose file no longer describes an array: the stamp of the file, by name of the array. */
  readonly #broken = new Map<string, string>();

  constructor(site: Site, news: Pick<News, "cancelled" | "troubleWithArray">) {
    const { layout, settings } = site;
    this.#site = site;
    this.#news = news;
    this.#owners = new JobOwners(layout, settings);
  }

  /** Number of waiting elements that have no job file in the queue yet. */
  get waiting(): number {
    return this.#sum(() => true);
  }

  /** Whether a directory of an unfinished new array exists. Its process may still work on it, or was killed. */
  get isBeginning(): boolean {
    return this.#isBeginning;
  }

  /** Whether every array waits for other jobs, so that no element can become a job now. */
  get isAllBlocked(): boolean {
    return this.#sum(({ after }) => after.length === 0) === 0;
  }

  get hasBlocked(): boolean {
    for (const { after } of this.#open.values()) if (after.length > 0) return true;
    return false;
  }

  /** The arrays that wait for other jobs. */
  get blocked(): Blocked[] {
    return [...this.#open.values()].flatMap(({ name, after }) =>
      after.length === 0 ? [] : [{ file: name, job: name, after, isArray: true }],
    );
  }

  /** Whether this name is that of an array with waiting elements, or of a waiting element. */
  holds(job: string): boolean {
    const array = this.#open.get(job);
    if (array !== undefined && waitingIn(array.view) > 0) return true;
    const element = elementOf(job);
    const view = element && this.#open.get(element.array)?.view;
    return view !== undefined && isWaitingIn(view, job);
  }

  /** Notes that all jobs that the array waited for have ended. */
  free(name: string): void {
    const array = this.#open.get(name);
    if (array !== undefined) array.after = [];
  }

  /**
   * Takes an array's file out of the queue.
   *
   * @returns false when the file must wait, because an array with the same name has not ended
   */
  async begin(file: string): Promise<boolean> {
    return (await beginArray(this.#site, file)) !== "name-taken";
  }

  /** Reads all arrays. */
  async readAll(): Promise<void> {
    await this.#adopt();
    const names = new Set(await listArrays(this.#site));
    for (const name of [...this.#open.keys()]) if (!names.has(name)) this.#open.delete(name);
    for (const name of names) await this.#read(name);
  }

  /** Makes elements into jobs until `target` jobs are ready to be handed out. @returns whether there are new jobs */
  async feed(target: number, ready: Ready): Promise<boolean> {
    let sum = 0;
    for (const array of [...this.#open.values()].sort(compareArrays)) {
      if (array.after.length > 0) continue;
      const made = await this.#expand(array, target - sum - ready.readyFrom(array.priority));
      if (made > 0) await this.#read(array.name);
      sum += made;
    }
    return sum > 0;
  }

  /** Makes jobs of up to `need` elements. @returns how many jobs were made */
  async #expand({ name, stamp, elements, view }: OpenArray, need: number): Promise<number> {
    const { flush } = this.#site.settings;
    const source = { name, stamp, textOf: (number: number) => elements.textOf(number) };
    let made = 0;
    for (const part of view.parts) {
      if (made >= need) break;
      if (part.kind !== "waiting") continue;
      const count = Math.min(need - made, BLOCK, countIn(part.range));
      if (!(await expandPart(this.#site, source, part, count, flush))) break;
      made += count;
    }
    return made;
  }

  /**
   * Completes new arrays whose process was killed. On a network file system, a cache may still show the old name of a directory
   * that has been renamed to its place. A file that is created under the old name then appears in the finished array. So this
   * function waits until it has seen the directory for longer than caches keep entries.
   */
  async #adopt(): Promise<void> {
    const { store, settings } = this.#site;
    const now = store.clock.now();
    const seen = new Map<string, number>();
    const patience = store.kind === "network" ? settings.settle * 1000 : 0;
    await adoptArrays(this.#site, (entry) => {
      const since = this.#beginnings.get(entry) ?? now;
      seen.set(entry, since);
      return now - since >= patience;
    });
    this.#beginnings = seen;
    this.#isBeginning = [...seen.values()].some((since) => now - since < patience);
  }

  /** Reads one array, and completes the steps of processes that were killed. */
  async #read(name: string): Promise<void> {
    let view = await readArray(this.#site, name);
    if (view !== undefined && (await mendArray(this.#site, view))) {
      view = await readArray(this.#site, name);
    }
    const known = this.#open.get(name);
    if (known !== undefined && view !== undefined) this.#see(known, view);
    if (view === undefined || !isUnfinished(view)) {
      this.#open.delete(name);
      return;
    }
    for (const out of view.outgoing) await sendOut(this.#site, name, out);
    if (view.outgoing.length > 0) view = (await readArray(this.#site, name)) ?? view;
    const stamp = await this.#stampOf(name);
    if (stamp === undefined) this.#open.delete(name);
    else if (known !== undefined && known.stamp === stamp) this.#see(known, view);
    else await this.#openArray(name, view, stamp);
  }

  /** Stamp of the array's file; "" when only the file is gone; undefined when the array is gone. */
  async #stampOf(name: string): Promise<string | undefined> {
    const { store, layout } = this.#site;
    const stamp = await stampAt(store, layout.arrayFile(name));
    if (stamp !== undefined) return stamp;
    // Another process may have renamed the directory for a moment, to find out whether the array has ended.
    if ((await readArray(this.#site, name)) === undefined) return undefined;
    return (await stampAt(store, layout.arrayFile(name))) ?? "";
  }

  /**
   * Counts the elements that were cancelled since the last view. The caller must pass every view, because otherwise some elements
   * are not counted.
   */
  #see(known: OpenArray, view: ArrayView): void {
    const more = countParts(view, "cancelled") - countParts(known.view, "cancelled");
    if (more > 0) this.#news.cancelled(more);
    known.view = view;
  }

  async #openArray(name: string, view: ArrayView, stamp: string): Promise<void> {
    this.#open.delete(name);
    if (this.#broken.get(name) === stamp) return;
    const reading = await readOpenArray(this.#site, name, view, stamp, this.#owners);
    if (reading.kind === "open") {
      this.#open.set(name, reading.array);
      return;
    }
    // The file existed when its stamp was read, so another process has renamed the directory for a moment. The next look reads
    // the file again.
    if (reading.kind === "gone" && stamp !== "") return;
    this.#broken.set(name, stamp);
    const file = this.#site.layout.arrayFile(name);
    const why = reading.kind === "gone" ? "is not there" : reading.reason;
    this.#news.troubleWithArray(
      `${file}: ${why}. Correct it, or end the rest of the array: fjord cancel ${name}`,
    );
  }

  #sum(counts: (array: OpenArray) => boolean): number {
    let sum = 0;
    for (const array of this.#open.values()) if (counts(array)) sum += waitingIn(array.view);
    return sum;
  }
}
