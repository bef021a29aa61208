import type { Demand } from "../job/demand.js";
import { compareTurns } from "./job-order.js";
import type { Waiting } from "./line.js";
import { Lines } from "./lines.js";

/** Number of waiting jobs of one demand. */
export interface DemandCount {
  readonly demand: Demand;
  readonly count: number;
}

/**
 * The valid jobs that could be handed out, in lines by demand and priority. Only the heads of the lines are compared, so handing
 * out a job costs the same for any number of waiting jobs.
 */
export class WaitingJobs {
  readonly #names = new Set<string>();
  /** Lines by the key of their demand. Empty ones are removed. */
  readonly #byDemand = new Map<string, Lines>();

  get size(): number {
    return this.#names.size;
  }

  /** The demands of the waiting jobs, in the order of the turns of their first jobs. */
  get demands(): DemandCount[] {
    return [...this.#byDemand.values()]
      .map((lines) => ({ lines, head: lines.head as Waiting }))
      .sort((a, b) => compareTurns(a.head, b.head))
      .map(({ lines: { demand, size } }) => ({ demand, count: size }));
  }

  has(file: string): boolean {
    return this.#names.has(file);
  }

  /** Number of jobs that have at least this priority. */
  countFrom(priority: number): number {
    let count = 0;
    for (const lines of this.#byDemand.values()) count += lines.countFrom(priority);
    return count;
  }

  /** Puts a job behind all others of its demand and priority, unless it is there already. */
  push(job: Waiting): void {
    if (this.#names.has(job.file)) return; // a listing may name a file twice
    this.#names.add(job.file);
    this.#linesOf(job.demand).push(job);
  }

  /** Puts a job before all others of its demand and priority. */
  unshift(job: Waiting): void {
    this.#names.add(job.file);
    this.#linesOf(job.demand).unshift(job);
  }

  /** Takes out the job whose turn comes first among the jobs whose demand fits. */
  take(fits: (demand: Demand) => boolean): Waiting | undefined {
    const lines = this.#firstOf(fits);
    const job = lines?.shift();
    if (lines === undefined || job === undefined) return undefined;
    if (lines.size === 0) this.#byDemand.delete(lines.demand.key);
    this.#names.delete(job.file);
    return job;
  }

  /** Takes out the unwanted jobs. This call goes through all jobs. */
  takeOut(isUnwanted: (file: string) => boolean): Waiting[] {
    const out: Waiting[] = [];
    for (const lines of this.#byDemand.values()) {
      for (const job of lines.takeOut(isUnwanted)) out.push(job);
      if (lines.size === 0) this.#byDemand.delete(lines.demand.key);
    }
    for (const { file } of out) this.#names.delete(file);
    return out;
  }

  #firstOf(fits: (demand: Demand) => boolean): Lines | undefined {
    let first: Lines | undefined;
    for (const lines of this.#byDemand.values()) {
      if (!fits(lines.demand)) continue;
      if (first === undefined || compareTurns(lines.head as Waiting, first.head as Waiting) < 0)
        first = lines;
    }
    return first;
  }

  #linesOf(demand: Demand): Lines {
    let lines = this.#byDemand.get(demand.key);
    if (lines === undefined) {
      lines = new Lines(demand);
      this.#byDemand.set(demand.key, lines);
    }
    return lines;
  }
}
