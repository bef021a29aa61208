import type { Left } from "./all-ended.js";
import type { Arrays } from "./arrays.js";
import type { Blocked } from "./dependencies.js";
import type { Desks } from "./desks.js";
import type { Progress } from "./progress.js";
import type { Retries } from "./retries.js";
import type { Stock } from "./stock.js";
import type { Tally } from "./tally.js";

/** All jobs that have not ended, as the dispatcher last saw them, by the place where they lie. */
export class KnownJobs {
  readonly stock: Stock;
  readonly arrays: Arrays;
  readonly desks: Desks;
  readonly retries: Retries;

  constructor(stock: Stock, arrays: Arrays, desks: Desks, retries: Retries) {
    this.stock = stock;
    this.arrays = arrays;
    this.desks = desks;
    this.retries = retries;
  }

  /** Jobs in the queue, and arrays, that wait for other jobs. */
  get blocked(): Blocked[] {
    return [...this.stock.blocked, ...this.arrays.blocked];
  }

  get hasBlocked(): boolean {
    return this.stock.hasBlocked || this.arrays.hasBlocked;
  }

  /** Whether there is a job that can be handed out, or a job on a desk. */
  get hasWork(): boolean {
    return this.desks.jobs + this.stock.ready > 0;
  }

  /** Whether a job of this name waits or runs. */
  isOpen(job: string): boolean {
    const file = `${job}.ini`; // desks and retries compare names, so they find the script `job` too
    return (
      this.desks.holds(file) || this.retries.holds(file) || this.stock.holds(job) || this.arrays.holds(job)
    );
  }

  /** @param isUnseen whether the dispatcher knows of a change that no listing has shown yet */
  left(isUnseen: boolean): Left {
    const { stock, arrays, desks, retries } = this;
    return {
      onDesks: desks.jobs,
      onRetryDesk: retries.waiting,
      waiting: stock.waiting + arrays.waiting,
      areAllBlocked: (stock.waiting === 0 || stock.isAllBlocked) && arrays.isAllBlocked,
      isUnseen: isUnseen || stock.isBehind || arrays.isBeginning,
    };
  }

  progress({ succeeded, failed, cancelled, rate, elapsed }: Tally): Progress {
    const { stock, arrays, retries, desks } = this;
    const staffed = desks.all.filter((desk) => desk.announcement !== undefined);
    const running = staffed.filter((desk) => desk.jobs.size > 0).length;
    return {
      waiting: stock.waiting + arrays.waiting + retries.waiting + desks.jobs - running,
      running,
      succeeded,
      failed,
      cancelled,
      workers: staffed.length,
      free: staffed.length - running,
      rate,
      elapsed,
    };
  }
}
