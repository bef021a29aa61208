import { isIgnored, jobName } from "../job/name.js";
import { isLock, type Layout } from "../project/layout.js";
import type { Announcement } from "../spool/announcement.js";
import { factsIfThere } from "../spool/file-facts.js";
import { type FileMark, isSameFile } from "../spool/stamp.js";
import { isErrno, type Store } from "../spool/store.js";

/** A job that was handed out: its file and, where known, what tells it from another of the name. */
export interface HandedOut {
  readonly file: string;
  readonly mark: FileMark | undefined;
}

/** One worker's desk as the dispatcher last saw it. */
export interface Desk {
  readonly worker: string;
  /** Undefined: there is a desk, but nobody is announced at it. */
  announcement: Announcement | undefined;
  /** Whether the desk's directory was there at the last look. */
  stands: boolean;
  /** When a job last came or left, monotonic, ms. */
  changedAt: number;
  readonly jobs: Map<string, HandedOut>;
}

/** What became of a job that is no longer on its desk. `gone`: deleted, or moved where fjord does not look. */
export type Whereabouts =
  | "jobdone"
  | "jobfailed"
  | "jobcancelled"
  | "jobheld"
  | "jobqueue"
  | "retry"
  | "elsewhere"
  | "gone";

/**
 * All desks, and the names of the jobs on them: S2 must not put a second job of a name on a desk while another is.
 */
export class Desks {
  readonly #store: Store;
  readonly #layout: Layout;
  readonly #desks = new Map<string, Desk>();
  /** How many desks hold a job of this name; the script `a` and `a.ini` are one name. */
  readonly #names = new Map<string, number>();

  constructor(store: Store, layout: Layout) {
    this.#store = store;
    this.#layout = layout;
  }

  get all(): Desk[] {
    return [...this.#desks.values()];
  }

  /** Jobs on all desks. */
  get jobs(): number {
    let sum = 0;
    for (const desk of this.#desks.values()) sum += desk.jobs.size;
    return sum;
  }

  get(worker: string): Desk | undefined {
    return this.#desks.get(worker);
  }

  of(worker: string): Desk {
    let desk = this.#desks.get(worker);
    if (desk === undefined) {
      desk = {
        worker,
        announcement: undefined,
        stands: false,
        changedAt: this.#store.clock.now(),
        jobs: new Map(),
      };
      this.#desks.set(worker, desk);
    }
    return desk;
  }

  holds(file: string): boolean {
    return this.#names.has(jobName(file));
  }

  put(desk: Desk, job: HandedOut): void {
    if (desk.jobs.has(job.file)) return;
    desk.jobs.set(job.file, job);
    desk.changedAt = this.#store.clock.now();
    const name = jobName(job.file);
    this.#names.set(name, (this.#names.get(name) ?? 0) + 1);
  }

  take(desk: Desk, file: string): void {
    if (!desk.jobs.delete(file)) return;
    desk.changedAt = this.#store.clock.now();
    const name = jobName(file);
    const others = (this.#names.get(name) ?? 1) - 1;
    if (others === 0) this.#names.delete(name);
    else this.#names.set(name, others);
  }

  /** Forgets a desk; gives back the jobs that it was thought to hold. */
  remove(worker: string): HandedOut[] {
    const desk = this.#desks.get(worker);
    if (desk === undefined) return [];
    const jobs = [...desk.jobs.values()];
    for (const job of jobs) this.take(desk, job.file);
    this.#desks.delete(worker);
    return jobs;
  }

  /** Looks at a desk: notes what it holds, gives back the jobs that have left it. */
  async look(desk: Desk): Promise<HandedOut[]> {
    let names: string[];
    try {
      names = await this.#store.list(this.#layout.desk(desk.worker));
      desk.stands = true;
    } catch (error) {
      if (!isErrno(error, "ENOENT", "ENOTDIR")) throw error;
      names = [];
      desk.stands = false;
    }
    const there = new Set(names);
    const left: HandedOut[] = [];
    for (const job of desk.jobs.values()) if (!there.has(job.file)) left.push(job);
    for (const job of left) this.take(desk, job.file);
    for (const file of names) {
      if (isLock(file) || isIgnored(file) || desk.jobs.has(file)) continue;
      // Put there by another dispatcher, before this one or beside it.
      this.put(desk, {
        file,
        mark: await factsIfThere(this.#store, this.#layout.onDesk(desk.worker, file)),
      });
    }
    return left;
  }

  /** Finds out where a job went that left its desk. */
  async whereabouts(job: HandedOut): Promise<Whereabouts> {
    for (const room of ["jobdone", "jobfailed", "jobcancelled"] as const) {
      if (await this.#isThere(this.#layout.ended(room, job.file), job)) return room;
    }
    if (await this.#isThere(this.#layout.toRetry(job.file), job)) return "retry";
    if (await this.#isThere(this.#layout.queued(job.file), job)) return "jobqueue";
    if (await this.#isThere(this.#layout.held(job.file), job)) return "jobheld";
    return this.holds(job.file) ? "elsewhere" : "gone";
  }

  async #isThere(path: string, { mark }: HandedOut): Promise<boolean> {
    const found = await factsIfThere(this.#store, path);
    return found !== undefined && (mark === undefined || isSameFile(found, mark));
  }
}
