import { type Capacity, type Demand, EVERY_DEMAND, NO_DEMAND } from "../job/demand.js";
import { isIgnored, jobName } from "../job/name.js";
import { isLock } from "../project/layout.js";
import type { Announcement } from "../spool/announcement.js";
import { factsIfThere, ifThere, whenKnown } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import { type FileMark, isSameFile } from "../store/stamp.js";
import type { Soon } from "../store/store.js";

/** A job that was handed out. If `mark` is known, it distinguishes the job's file from other files with the same name. */
export interface HandedOut {
  readonly file: string;
  readonly demand: Demand;
  readonly mark: FileMark | undefined;
}

/** A desk, the directory in which a worker finds its jobs, as the dispatcher last saw it. */
export interface Desk {
  readonly worker: string;
  readonly capacity: Capacity;
  /** The announcement of the worker; undefined when only the desk exists. */
  announcement: Announcement | undefined;
  /** Whether the last look found the desk's directory. */
  stands: boolean;
  /** Time when a job last came or left (monotonic, ms). */
  changedAt: number;
  readonly jobs: Map<string, HandedOut>;
}

/** The place of a job that has left its desk. `gone`: somebody deleted the file, or moved it out of the project. */
export type Whereabouts =
  | "jobdone"
  | "jobfailed"
  | "jobcancelled"
  | "jobheld"
  | "jobqueue"
  | "retry"
  | "elsewhere"
  | "gone";

/** All desks, and the names of the jobs on them. S2: only one job of a name may be on a desk at a time. */
export class Desks {
  readonly #site: Site;
  readonly #desks = new Map<string, Desk>();
  /** Number of desks that hold a job of this name. The script `a` and the file `a.ini` have the same name. */
  readonly #names = new Map<string, number>();

  constructor(site: Site) {
    this.#site = site;
  }

  get all(): Desk[] {
    return [...this.#desks.values()];
  }

  /** Number of jobs on all desks. */
  get jobs(): number {
    let sum = 0;
    for (const desk of this.#desks.values()) sum += desk.jobs.size;
    return sum;
  }

  get(worker: string): Desk | undefined {
    return this.#desks.get(worker);
  }

  /** The desk of a worker. A new worker gets an empty one. */
  of(worker: string): Desk {
    let desk = this.#desks.get(worker);
    if (desk === undefined) {
      desk = {
        worker,
        capacity: EVERY_DEMAND,
        announcement: undefined,
        stands: false,
        changedAt: this.#site.store.clock.now(),
        jobs: new Map(),
      };
      this.#desks.set(worker, desk);
    }
    return desk;
  }

  /** Whether a job of this file's name is on a desk. */
  holds(file: string): boolean {
    return this.#names.has(jobName(file));
  }

  put(desk: Desk, job: HandedOut): void {
    if (desk.jobs.has(job.file)) return;
    desk.jobs.set(job.file, job);
    desk.changedAt = this.#site.store.clock.now();
    const name = jobName(job.file);
    this.#names.set(name, (this.#names.get(name) ?? 0) + 1);
  }

  take(desk: Desk, file: string): void {
    if (!desk.jobs.delete(file)) return;
    desk.changedAt = this.#site.store.clock.now();
    const name = jobName(file);
    const others = (this.#names.get(name) ?? 1) - 1;
    if (others === 0) this.#names.delete(name);
    else this.#names.set(name, others);
  }

  /** Forgets a desk. @returns the jobs that this dispatcher last saw on it */
  remove(worker: string): HandedOut[] {
    const desk = this.#desks.get(worker);
    if (desk === undefined) return [];
    const jobs = [...desk.jobs.values()];
    for (const job of jobs) this.take(desk, job.file);
    this.#desks.delete(worker);
    return jobs;
  }

  /** Lists a desk and stores the result. @returns the jobs that have left the desk since the last listing */
  async list(desk: Desk): Promise<HandedOut[]> {
    const { store, layout } = this.#site;
    const listed = await ifThere(store.list(layout.desk(desk.worker)));
    desk.stands = listed !== undefined;
    const names = new Set(listed);
    const left: HandedOut[] = [];
    for (const job of desk.jobs.values()) if (!names.has(job.file)) left.push(job);
    for (const job of left) this.take(desk, job.file);
    for (const file of names) {
      if (isLock(file) || isIgnored(file) || desk.jobs.has(file)) continue;
      // Another dispatcher has put the job there, before this one began or at the same time.
      const mark = await factsIfThere(store, layout.onDesk(desk.worker, file));
      this.put(desk, { file, demand: NO_DEMAND, mark });
    }
    return left;
  }

  /** Finds the place of a job that has left its desk. */
  whereabouts(job: HandedOut): Soon<Whereabouts> {
    const isDone = this.#isThere(this.#site.layout.ended("jobdone", job.file), job);
    return whenKnown(isDone, (done) => (done ? "jobdone" : this.#searchOn(job)));
  }

  /** Finds the place of a job that is not in `jobdone/`. */
  async #searchOn(job: HandedOut): Promise<Whereabouts> {
    const { layout } = this.#site;
    for (const room of ["jobfailed", "jobcancelled"] as const) {
      if (await this.#isThere(layout.ended(room, job.file), job)) return room;
    }
    if (await this.#isThere(layout.toRetry(job.file), job)) return "retry";
    if (await this.#isThere(layout.queued(job.file), job)) return "jobqueue";
    if (await this.#isThere(layout.held(job.file), job)) return "jobheld";
    return this.holds(job.file) ? "elsewhere" : "gone";
  }

  #isThere(path: string, { mark }: HandedOut): Soon<boolean> {
    return whenKnown(
      factsIfThere(this.#site.store, path),
      (found) => found !== undefined && (mark === undefined || isSameFile(found, mark)),
    );
  }
}
