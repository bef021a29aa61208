import type { Pending } from "../jobs/awaited.js";
import type { WaitOptions, WaitResult } from "../jobs/wait.js";
import type { Project } from "../library/project.js";
import { isAnyOnDuty } from "../report/status.js";
import { isDispatching } from "../spool/dispatcher-lock.js";
import { pauseAfter } from "../store/pause.js";
import { note } from "./main.js";
import { type OwnJob, ownJob, tellLeftOut } from "./own-job.js";
import { NOTHING_TOLD, newsOf } from "./wait-news.js";

/** Time in ms before the first check for workers, a dispatcher and held jobs. */
const QUIET = 1000;
/** Bounds of the pause between two checks. The lower bound comes from the project's settings. */
const PAUSE = { times: 50, atMost: 60_000 };

/**
 * Waits as `Project.wait` does, and reports obstacles that would make the wait endless: no dispatcher, no worker on duty, or a
 * held job. A line on standard error reports the beginning of an obstacle, with a command to type, and its end. If this command
 * runs in a job, it does not wait for that job.
 *
 * @param named the project as the user named it
 */
export async function waitWithNews(
  project: Project,
  named: string | undefined,
  jobs: readonly string[] | undefined,
  options: WaitOptions = {},
): Promise<WaitResult> {
  const own = ownJob(project);
  if (own !== undefined && (jobs === undefined || jobs.includes(own.job))) tellLeftOut(own);
  const over = new AbortController();
  const scans = new Scans();
  void reportNews(project, named, own, scans, over.signal); // this call catches its own errors, and ends soon after the wait
  try {
    return await project.wait(jobs, {
      ...options,
      except: own?.job,
      onLook: (pending) => scans.add(pending),
    });
  } finally {
    over.abort();
    scans.end();
  }
}

/** The pending jobs that each scan of the wait has found. */
class Scans {
  #last: Pending = { waiting: 0, running: 0, held: [] };
  #hasEnded = false;
  #wake: () => void = () => undefined;

  add(pending: Pending): void {
    this.#last = pending;
    this.#wake();
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  get last(): Pending {
    return this.#last;
  }

  /** Waits for the end of the next scan, because the last scan may still list jobs that have ended. */
  async next(): Promise<Pending> {
    if (!this.#hasEnded) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#last;
  }
}

async function reportNews(
  project: Project,
  named: string | undefined,
  own: OwnJob | undefined,
  scans: Scans,
  over: AbortSignal,
): Promise<void> {
  const { store, settings } = project;
  const { clock } = store;
  const waiter = { named, isInJob: own !== undefined };
  const apart = Math.max(settings.beat, 2 * settings.poll) * 1000; // this is longer than a standby dispatcher needs to take over
  const pause = { ...PAUSE, atLeast: Math.min(apart, PAUSE.atMost) };
  let told = NOTHING_TOLD;
  for (let rest = QUIET; ; ) {
    await clock.sleep(rest, over);
    if (over.aborted) return;
    const begin = clock.now();
    try {
      const hasWorker = await isAnyOnDuty(project, own?.worker);
      const hasDispatcher = await isDispatching(project, settings.beat);
      rest = pauseAfter(clock.now() - begin, pause);
      const pending = told.before === undefined ? scans.last : await scans.next();
      if (over.aborted) return;
      const news = newsOf(told, { ...pending, hasWorker, hasDispatcher }, waiter);
      for (const line of news.lines) note("fjord", line);
      told = news.told;
    } catch {
      rest = apart; // the wait itself reports an error of the store
    }
  }
}
