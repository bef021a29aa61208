import type { Demand } from "../job/demand.js";
import { Line, type Waiting } from "./line.js";

/** The waiting jobs of one demand, with one line for each priority in use. */
export class Lines {
  readonly demand: Demand;
  /** The line of the highest priority is the last one. */
  #lines: Line[] = [];
  #size = 0;

  constructor(demand: Demand) {
    this.demand = demand;
  }

  get size(): number {
    return this.#size;
  }

  /** The job whose turn comes first. The job stays in its line. */
  get head(): Waiting | undefined {
    return this.#lines.at(-1)?.head;
  }

  /** Number of jobs that have at least this priority. */
  countFrom(priority: number): number {
    let count = 0;
    for (let i = this.#placeOf(priority); i < this.#lines.length; i++) {
      count += (this.#lines[i] as Line).length;
    }
    return count;
  }

  push(job: Waiting): void {
    this.#lineOf(job.priority).push(job);
    this.#size++;
  }

  unshift(job: Waiting): void {
    this.#lineOf(job.priority).unshift(job);
    this.#size++;
  }

  shift(): Waiting | undefined {
    const line = this.#lines.at(-1);
    const job = line?.shift();
    if (job === undefined) return undefined;
    if (line?.length === 0) this.#lines.pop();
    this.#size--;
    return job;
  }

  /** Takes out the unwanted jobs, in the order of their turns. */
  takeOut(isUnwanted: (file: string) => boolean): Waiting[] {
    const out = this.#lines.toReversed().flatMap((line) => line.takeOut(isUnwanted));
    this.#lines = this.#lines.filter(({ length }) => length > 0);
    this.#size -= out.length;
    return out;
  }

  /** Place of the line of this priority, or the place where such a line belongs. */
  #placeOf(priority: number): number {
    let [low, high] = [0, this.#lines.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#lines[middle] as Line).priority < priority) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #lineOf(priority: number): Line {
    const place = this.#placeOf(priority);
    const there = this.#lines[place];
    if (there?.priority === priority) return there;
    const line = new Line(priority, this.demand);
    this.#lines.splice(place, 0, line);
    return line;
  }
}
