import { jobName } from "../job/name.js";
import { endingOf } from "../spool/ending.js";
import { whenKnown } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import type { Soon } from "../store/store.js";
import type { HandedOut, Whereabouts } from "./desks.js";
import type { KnownJobs } from "./known-jobs.js";
import type { News } from "./news.js";

/** A place to which a job may return from a desk. */
export type ReturnPlace = "jobqueue" | "retry";

/** Finds the new places of the jobs that have left their desks. The directory in which a job lies tells how it ended. */
export class Departures {
  readonly #site: Site;
  readonly #jobs: KnownJobs;
  readonly #news: News;
  readonly #onReturn: (place: ReturnPlace) => void;
  /** Paths of the returned files that no listing has shown yet, because a cache may still show an older listing. */
  readonly #hidden = new Map<string, string>();
  /** Jobs that were given up on the retry desk before this dispatcher listed their worker's desk again. */
  readonly #givenUp = new Set<string>();

  /** @param onReturn is called when a job has returned to a place, so that the dispatcher lists this place soon */
  constructor(site: Site, jobs: KnownJobs, news: News, onReturn: (place: ReturnPlace) => void) {
    this.#site = site;
    this.#jobs = jobs;
    this.#news = news;
    this.#onReturn = onReturn;
  }

  /** Whether there is a returned file that no listing has shown yet. */
  get hasHidden(): boolean {
    return this.#hidden.size > 0;
  }

  /**
   * Notes that a job was given up and counted. If this dispatcher last saw the job on a desk, it does not count the job again
   * when that desk is listed.
   */
  noteGivenUp(job: string): void {
    if (this.#jobs.desks.holds(`${job}.ini`)) this.#givenUp.add(job);
  }

  /** Counts and reports a job that has left its desk. */
  resolve(job: HandedOut, worker: string): Soon<void> {
    return whenKnown(this.#jobs.desks.whereabouts(job), (where) => this.#note(job, worker, where));
  }

  #note({ file, mark }: HandedOut, worker: string, where: Whereabouts): Soon<void> {
    const { layout } = this.#site;
    const { tally } = this.#news;
    switch (where) {
      case "jobdone":
        tally.count("succeeded");
        break;
      case "jobfailed":
        if (this.#givenUp.delete(jobName(file))) break;
        return endingOf(this.#site, worker, file, mark).then((ending) =>
          this.#news.failed(jobName(file), ending),
        );
      case "retry":
        this.#hidden.set(file, layout.toRetry(file));
        this.#onReturn(where);
        break;
      case "jobqueue":
        this.#hidden.set(file, layout.queued(file));
        this.#onReturn(where);
        break;
      case "jobcancelled":
        tally.count("cancelled");
        break;
      case "jobheld":
      case "elsewhere":
      case "gone":
        break;
      default: {
        const unknown: never = where;
        throw new Error(`unknown place: ${unknown}`);
      }
    }
  }

  /** Forgets the returned files that a listing shows, or that have left the place again. */
  async findHidden(): Promise<void> {
    const { retries, stock } = this.#jobs;
    for (const [file, path] of this.#hidden) {
      const isShown = retries.isWaiting(file) || stock.hasSeen(file);
      if (isShown || !(await this.#site.store.has(path))) this.#hidden.delete(file);
    }
  }
}
