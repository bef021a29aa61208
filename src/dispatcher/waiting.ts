import type { FileMark } from "../spool/stamp.js";

/** A valid job that waits. */
export interface Waiting extends FileMark {
  readonly file: string;
  readonly priority: number;
}

/** First in, first out, among jobs of one priority; cheap at both ends. In columns: an object for each of a million costs too much. */
class Line {
  readonly #priority: number;
  #files: string[] = [];
  #inodes: number[] = [];
  #times: number[] = [];
  #head = 0;

  constructor(priority: number) {
    this.#priority = priority;
  }

  get length(): number {
    return this.#files.length - this.#head;
  }

  push({ file, ino, mtimeMs }: Waiting): void {
    this.#files.push(file);
    this.#inodes.push(ino);
    this.#times.push(mtimeMs);
  }

  unshift({ file, ino, mtimeMs }: Waiting): void {
    if (this.#head === 0) {
      this.#files.unshift(file);
      this.#inodes.unshift(ino);
      this.#times.unshift(mtimeMs);
    } else {
      this.#head--;
      this.#files[this.#head] = file;
      this.#inodes[this.#head] = ino;
      this.#times[this.#head] = mtimeMs;
    }
  }

  shift(): Waiting | undefined {
    if (this.length === 0) return undefined;
    const job = this.#at(this.#head++);
    if (this.#head > 1024 && this.#head * 2 > this.#files.length) {
      for (const column of [this.#files, this.#inodes, this.#times]) column.splice(0, this.#head);
      this.#head = 0;
    }
    return job;
  }

  /** Takes out what is not wanted any more. */
  takeOut(isUnwanted: (file: string) => boolean): Waiting[] {
    const out: Waiting[] = [];
    let kept = 0;
    for (let i = this.#head; i < this.#files.length; i++) {
      const file = this.#files[i] as string;
      if (isUnwanted(file)) {
        out.push(this.#at(i));
        continue;
      }
      this.#files[kept] = file;
      this.#inodes[kept] = this.#inodes[i] as number;
      this.#times[kept++] = this.#times[i] as number;
    }
    for (const column of [this.#files, this.#inodes, this.#times]) column.length = kept;
    this.#head = 0;
    return out;
  }

  #at(i: number): Waiting {
    return {
      file: this.#files[i] as string,
      priority: this.#priority,
      ino: this.#inodes[i] as number,
      mtimeMs: this.#times[i] as number,
    };
  }
}

/** The valid jobs that could be handed out, in their turn: higher priority first, then as they came. */
export class WaitingJobs {
  readonly #names = new Set<string>();
  readonly #lines = new Map<number, Line>();
  /** In use, highest first. */
  #priorities: number[] = [];

  get size(): number {
    return this.#names.size;
  }

  has(file: string): boolean {
    return this.#names.has(file);
  }

  /** How many have at least this priority. */
  countFrom(priority: number): number {
    let count = 0;
    for (const each of this.#priorities) if (each >= priority) count += this.#line(each).length;
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
    for (const priority of this.#priorities) {
      const job = this.#line(priority).shift();
      if (job === undefined) continue;
      this.#names.delete(job.file);
      return job;
    }
    return undefined;
  }

  /** Takes out what is not wanted any more: goes through all of them. */
  takeOut(isUnwanted: (file: string) => boolean): Waiting[] {
    const out = this.#priorities.flatMap((priority) => this.#line(priority).takeOut(isUnwanted));
    for (const { file } of out) this.#names.delete(file);
    return out;
  }

  #line(priority: number): Line {
    let line = this.#lines.get(priority);
    if (line === undefined) {
      line = new Line(priority);
      this.#lines.set(priority, line);
      this.#priorities = [...this.#lines.keys()].sort((a, b) => b - a);
    }
    return line;
  }
}
