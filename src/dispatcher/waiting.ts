import type { FileMark } from "../spool/stamp.js";

/** A valid job that waits. */
export interface Waiting extends FileMark {
  readonly file: string;
  readonly priority: number;
}

/** Jobs of a block. */
const BLOCK = 1024;

/** Some jobs of a line, in columns: an object for each of a million costs too much. */
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

  /** Puts it where one was taken from. Returns whether there is such a place. */
  unshift({ file, ino, mtimeMs }: Waiting): boolean {
    if (this.#begin === 0) return false;
    const i = --this.#begin;
    this.#files[i] = file;
    this.#inodes[i] = ino;
    this.#times[i] = mtimeMs;
    return true;
  }

  /** The first job, which there must be. */
  shift(priority: number): Waiting {
    const i = this.#begin++;
    const file = this.#files[i] as string;
    this.#files[i] = undefined;
    return { file, priority, ino: this.#inodes[i] as number, mtimeMs: this.#times[i] as number };
  }
}

/** First in, first out, among jobs of one priority; cheap at both ends. In blocks, so that a long one need never be copied to grow. */
class Line {
  readonly priority: number;
  readonly #blocks: Block[] = [];
  #length = 0;

  constructor(priority: number) {
    this.priority = priority;
  }

  get length(): number {
    return this.#length;
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
    const job = first.shift(this.priority);
    if (first.length === 0) this.#blocks.shift();
    this.#length--;
    return job;
  }

  /** Takes out what is not wanted any more. */
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

/** The valid jobs that could be handed out, in their turn: higher priority first, then as they came. */
export class WaitingJobs {
  readonly #names = new Set<string>();
  /** One of each priority that is in use; the highest is last. */
  #lines: Line[] = [];

  get size(): number {
    return this.#names.size;
  }

  has(file: string): boolean {
    return this.#names.has(file);
  }

  /** How many have at least this priority. */
  countFrom(priority: number): number {
    let count = 0;
    for (let i = this.#place(priority); i < this.#lines.length; i++) count += (this.#lines[i] as Line).length;
    return count;
  }

  /** Puts it behind all others of its priority, unless it is there. */
  push(job: Waiting): void {
    if (this.#names.has(job.file)) return; // a listing may name a file twice
    this.#names.add(job.file);
    this.#line(job.priority).push(job);
  }

  /** Puts it before all others of its priority. */
  unshift(job: Waiting): void {
    this.#names.add(job.file);
    this.#line(job.priority).unshift(job);
  }

  shift(): Waiting | undefined {
    const line = this.#lines.at(-1);
    const job = line?.shift();
    if (job === undefined) return undefined;
    if (line?.length === 0) this.#lines.pop();
    this.#names.delete(job.file);
    return job;
  }

  /** Takes out what is not wanted any more: goes through all of them. */
  takeOut(isUnwanted: (file: string) => boolean): Waiting[] {
    const out = this.#lines.toReversed().flatMap((line) => line.takeOut(isUnwanted));
    this.#lines = this.#lines.filter(({ length }) => length > 0);
    for (const { file } of out) this.#names.delete(file);
    return out;
  }

  /** Where the line of this priority is, or would be. */
  #place(priority: number): number {
    let [low, high] = [0, this.#lines.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#lines[middle] as Line).priority < priority) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #line(priority: number): Line {
    const place = this.#place(priority);
    const there = this.#lines[place];
    if (there?.priority === priority) return there;
    const line = new Line(priority);
    this.#lines.splice(place, 0, line);
    return line;
  }
}
