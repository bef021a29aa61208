import type { Demand } from "../job/demand.js";
import type { FileMark } from "../store/stamp.js";
import type { Turn } from "./job-order.js";

/** A valid job that waits. */
export interface Waiting extends FileMark, Turn {
  readonly demand: Demand;
}

/** Number of jobs in a block. */
const BLOCK = 1024;

/** A block of the jobs of a line, stored in columns. A million objects, one for each job, would need too much memory. */
class Block {
  readonly #files: (string | undefined)[] = [];
  readonly #inodes: number[] = [];
  readonly #times: number[] = [];
  #begin = 0;

  get length(): number {
    return this.#files.length - this.#begin;
  }

  get isFull(): boolean {
    return this.#files.length === BLOCK;
  }

  push({ file, ino, mtimeMs }: Waiting): void {
    this.#files.push(file);
    this.#inodes.push(ino);
    this.#times.push(mtimeMs);
  }

  /** Puts a job before the first one, into a place that `shift` has freed. @returns false when there is no free place */
  unshift({ file, ino, mtimeMs }: Waiting): boolean {
    if (this.#begin === 0) return false;
    const i = --this.#begin;
    this.#files[i] = file;
    this.#inodes[i] = ino;
    this.#times[i] = mtimeMs;
    return true;
  }

  /** The first job. The block must not be empty. */
  head(priority: number, demand: Demand): Waiting {
    const i = this.#begin;
    return {
      file: this.#files[i] as string,
      priority,
      demand,
      ino: this.#inodes[i] as number,
      mtimeMs: this.#times[i] as number,
    };
  }

  /** Removes the first job. The block must not be empty. */
  drop(): void {
    this.#files[this.#begin++] = undefined;
  }
}

/**
 * Jobs of one demand and one priority, first in, first out. Adding and removing is cheap at both ends. The jobs are kept in
 * blocks, so a long line can grow without being copied.
 */
export class Line {
  readonly priority: number;
  readonly #demand: Demand;
  readonly #blocks: Block[] = [];
  #length = 0;

  constructor(priority: number, demand: Demand) {
    this.priority = priority;
    this.#demand = demand;
  }

  get length(): number {
    return this.#length;
  }

  /** The first job, which stays in the line. */
  get head(): Waiting | undefined {
    return this.#blocks[0]?.head(this.priority, this.#demand);
  }

  push(job: Waiting): void {
    let last = this.#blocks.at(-1);
    if (last === undefined || last.isFull) {
      last = new Block();
      this.#blocks.push(last);
    }
    last.push(job);
    this.#length++;
  }

  unshift(job: Waiting): void {
    if (!this.#blocks[0]?.unshift(job)) {
      const first = new Block();
      first.push(job);
      this.#blocks.unshift(first);
    }
    this.#length++;
  }

  shift(): Waiting | undefined {
    const first = this.#blocks[0];
    if (first === undefined) return undefined;
    const job = first.head(this.priority, this.#demand);
    first.drop();
    if (first.length === 0) this.#blocks.shift();
    this.#length--;
    return job;
  }

  /** Takes out the unwanted jobs. The other jobs keep their order. */
  takeOut(isUnwanted: (file: string) => boolean): Waiting[] {
    const out: Waiting[] = [];
    for (let left = this.#length; left > 0; left--) {
      const job = this.shift() as Waiting;
      if (isUnwanted(job.file)) out.push(job);
      else this.push(job);
    }
    return out;
  }
}
