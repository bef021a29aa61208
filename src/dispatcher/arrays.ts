import { type ArrayJob, Elements, elementOf } from "../job/element.js";
import type { Job } from "../job/job.js";
import { contains, countIn, countOf } from "../job/numbers.js";
import type { Layout } from "../project/layout.js";
import type { Settings } from "../project/settings.js";
import { type ArrayView, countParts, isUnfinished, listArrays, readArray } from "../spool/array-parts.js";
import { adoptArrays, beginArray, expandPart, mendArray, sendOut } from "../spool/arrays.js";
import { stampAt } from "../spool/finish.js";
import { look } from "../spool/intake.js";
import { JobOwners } from "../spool/job-owners.js";
import type { Store } from "../spool/store.js";
import type { Blocked } from "./dependencies.js";

/** An array some of whose numbers are no jobs yet. */
interface Open {
  readonly name: string;
  /** Of its file: another of the name has another. */
  readonly stamp: string;
  readonly priority: number;
  readonly mtimeMs: number;
  readonly elements: Elements;
  /** What it waits for, until all of that has ended. */
  after: Blocked["after"];
  view: ArrayView;
}

/** What happens to arrays, for whoever runs the dispatcher. */
interface ArrayEvents {
  onTrouble(message: string): void;
  /** So many numbers have been cancelled since the last look. */
  onCancelled(count: number): void;
}

/** What is known of the jobs that could be handed out. */
interface Ready {
  /** How many there are of at least this priority. */
  readyFrom(priority: number): number;
}

/** Numbers that are made jobs at once, at the most. */
const BLOCK = 500;

/**
 * S11: of the arrays only as many numbers are made jobs as workers need soon. What is known of them is read again at each
 * look, so whoever comes next goes on.
 */
export class Arrays {
  readonly #store: Store;
  readonly #layout: Layout;
  readonly #settings: Settings;
  readonly #tell: ArrayEvents;
  readonly #owners: JobOwners;
  readonly #open = new Map<string, Open>();
  /** Directories in which arrays are being begun, and when they were first seen. */
  #beginnings: ReadonlyMap<string, number> = new Map();
  #isBeginning = false;
  /** Those whose files are no arrays any more, and the stamps of these. */
  readonly #broken = new Map<string, string>();

  constructor(store: Store, layout: Layout, settings: Settings, tell: ArrayEvents) {
    this.#store = store;
    this.#layout = layout;
    this.#settings = settings;
    this.#tell = tell;
    this.#owners = new JobOwners(layout, settings);
  }

  /** Numbers that wait and are no jobs in the queue yet. */
  get waiting(): number {
    return this.#sum(() => true);
  }

  /** Whether somebody may be beginning an array: it is not known yet whether he was killed as he did. */
  get isBeginning(): boolean {
    return this.#isBeginning;
  }

  /** Whether none of those could be made jobs now, as their arrays wait for others. */
  get isAllBlocked(): boolean {
    return this.#sum(({ after }) => after.length === 0) === 0;
  }

  /** The arrays that wait for others. */
  get blocked(): Blocked[] {
    return [...this.#open.values()].flatMap(({ name, after }) =>
      after.length === 0 ? [] : [{ file: name, job: name, after, isArray: true }],
    );
  }

  /** Whether of this array, or just this number of an array, something waits. */
  holds(job: string): boolean {
    const array = this.#open.get(job);
    if (array !== undefined && waitingIn(array.view) > 0) return true;
    const element = elementOf(job);
    const view = element && this.#open.get(element.array)?.view;
    if (element === undefined || view === undefined) return false;
    return (
      view.parts.some(({ kind, range }) => kind === "waiting" && contains(range, element.number)) ||
      view.outgoing.some(({ files }) => files.includes(`${job}.ini`))
    );
  }

  /** All that it waited for has ended. */
  free(name: string): void {
    const array = this.#open.get(name);
    if (array !== undefined) array.after = [];
  }

  /** Takes an array out of the queue. @returns false: it has to wait, as one of its name is not over */
  async begin(file: string): Promise<boolean> {
    return (await beginArray(this.#store, this.#layout, file)) !== "name-taken";
  }

  /** Reads all that is there. */
  async look(): Promise<void> {
    await this.#adopt();
    const names = new Set(await listArrays(this.#store, this.#layout));
    for (const name of [...this.#open.keys()]) if (!names.has(name)) this.#open.delete(name);
    for (const name of names) await this.#lookAt(name);
  }

  /**
   * On a network a directory is seen for a while where it was begun, when it has gone to its place already, and what is made in it
   * then would be made there: a beginning is let be until it has been seen for longer than that.
   */
  async #adopt(): Promise<void> {
    const now = this.#store.clock.now();
    const seen = new Map<string, number>();
    const patience = this.#store.kind === "network" ? this.#settings.settle * 1000 : 0;
    await adoptArrays(this.#store, this.#layout, (entry) => {
      const since = this.#beginnings.get(entry) ?? now;
      seen.set(entry, since);
      return now - since >= patience;
    });
    this.#beginnings = seen;
    this.#isBeginning = [...seen.values()].some((since) => now - since < patience);
  }

  /** Makes numbers jobs in the queue until `target` could be handed out. @returns whether there are new ones */
  async feed(target: number, ready: Ready): Promise<boolean> {
    let sum = 0;
    const inOrder = [...this.#open.values()]
      .filter(({ after }) => after.length === 0)
      .sort((a, b) => b.priority - a.priority || a.mtimeMs - b.mtimeMs);
    for (const array of inOrder) {
      const need = target - sum - ready.readyFrom(array.priority);
      let made = 0;
      for (const part of array.view.parts) {
        if (made >= need) break;
        if (part.kind !== "waiting") continue;
        const count = Math.min(need - made, BLOCK, countIn(part.range));
        const { flush } = this.#settings;
        const { name, stamp } = array;
        const source = { name, stamp, textOf: (number: number) => array.elements.textOf(number) };
        if (!(await expandPart(this.#store, this.#layout, source, part, count, flush))) break;
        made += count;
      }
      if (made > 0) await this.#lookAt(array.name);
      sum += made;
    }
    return sum > 0;
  }

  async #lookAt(name: string): Promise<void> {
    let view = await readArray(this.#store, this.#layout, name);
    if (view !== undefined && (await mendArray(this.#store, this.#layout, view))) {
      view = await readArray(this.#store, this.#layout, name);
    }
    const known = this.#open.get(name);
    if (known !== undefined && view !== undefined) this.#see(known, view);
    if (view === undefined || !isUnfinished(view)) {
      this.#open.delete(name);
      return;
    }
    for (const out of view.outgoing) await sendOut(this.#store, this.#layout, name, out);
    if (view.outgoing.length > 0) view = (await readArray(this.#store, this.#layout, name)) ?? view;
    let stamp = await stampAt(this.#store, this.#layout.arrayFile(name));
    if (stamp === undefined) {
      // Its directory may have been away for a moment, while somebody looked whether it is over.
      if ((await readArray(this.#store, this.#layout, name)) === undefined) {
        this.#open.delete(name);
        return;
      }
      stamp = (await stampAt(this.#store, this.#layout.arrayFile(name))) ?? "";
    }
    if (known !== undefined && known.stamp === stamp) this.#see(known, view);
    else await this.#read(name, view, stamp);
  }

  /** Each view that is taken is counted: what was cancelled between two of them would be missing. */
  #see(known: Open, view: ArrayView): void {
    const more = countParts(view, "cancelled") - countParts(known.view, "cancelled");
    if (more > 0) this.#tell.onCancelled(more);
    known.view = view;
  }

  async #read(name: string, view: ArrayView, stamp: string): Promise<void> {
    this.#open.delete(name);
    if (this.#broken.get(name) === stamp) return;
    const file = this.#layout.arrayFile(name);
    const seen = await look(this.#store, file, `${name}.ini`, undefined, this.#owners);
    if (seen.kind === "valid" && isArray(seen.job)) {
      const { job, mtimeMs, bytes } = seen;
      // What it waits for had ended when its first numbers became jobs, and may be gone since.
      const isWhole = countParts(view) === countOf(job.array.ranges);
      const elements = new Elements(`${name}.ini`, bytes, job);
      const { priority, after } = job;
      const array = { name, stamp, priority, mtimeMs, elements, after: isWhole ? after : [], view };
      this.#open.set(name, array);
      return;
    }
    this.#broken.set(name, stamp);
    const why =
      seen.kind === "refused" ? seen.reason : seen.kind === "gone" ? "is not there" : "is no array any more";
    this.#tell.onTrouble(`${file}: ${why}. Put it right, or end what is left of it: fjord cancel ${name}`);
  }

  #sum(counts: (array: Open) => boolean): number {
    let sum = 0;
    for (const array of this.#open.values()) if (counts(array)) sum += waitingIn(array.view);
    return sum;
  }
}

function isArray(job: Job): job is ArrayJob {
  return job.array !== undefined;
}

function waitingIn(view: ArrayView): number {
  return countParts(view, "waiting") + view.outgoing.reduce((sum, { files }) => sum + files.length, 0);
}
