import fs from "node:fs";
import { visible } from "../job/quote.js";
import type { Project } from "../library/project.js";
import { MarkedLines, type Turn } from "./marked-lines.js";

/** The attempt to print, and the number of its last lines to begin with. All lines that come later are printed. */
export interface Extract {
  readonly attempt: number | undefined;
  readonly lines: number | undefined;
}

const CHUNK = 1 << 16;

/** The position up to which the logs of one job have been printed. */
export class Tail {
  readonly job: string;
  readonly #project: Project;
  readonly #onlyAttempt: boolean;
  /** Undefined for a single job, whose log is printed byte for byte. */
  readonly #marked: MarkedLines | undefined;
  #attempt: number;
  #offset = 0;
  /** Number of last lines to begin with; undefined after the first read. */
  #lines: number | undefined;

  /** @param turn shared by several jobs, whose lines are marked */
  constructor(project: Project, job: string, { attempt, lines }: Extract, turn: Turn | undefined) {
    this.job = job;
    this.#project = project;
    this.#marked = turn && new MarkedLines(Buffer.from(`${visible(job)} | `).toString("latin1"), turn);
    this.#onlyAttempt = attempt !== undefined;
    this.#attempt = attempt ?? lastAttempt(project, job);
    // A log that does not exist yet is printed from its beginning.
    this.#lines = fs.existsSync(this.#pathOf(this.#attempt)) ? lines : undefined;
  }

  /** Prints the new text. @returns whether the job has a log */
  async print(last = false): Promise<boolean> {
    let found = await this.#printOne();
    while (!this.#onlyAttempt && fs.existsSync(this.#pathOf(this.#attempt + 1))) {
      await this.#printOne(); // prints the rest of this attempt's log before the next attempt
      await this.#flush();
      this.#attempt++;
      this.#offset = 0;
      found = (await this.#printOne()) || found;
    }
    if (last) await this.#flush();
    return found;
  }

  async #printOne(): Promise<boolean> {
    let fd: number;
    try {
      fd = fs.openSync(this.#pathOf(this.#attempt), "r");
    } catch {
      return false;
    }
    try {
      if (this.#lines !== undefined) this.#offset = startOfLast(this.#lines, fd);
      this.#lines = undefined;
      // Text that is written meanwhile is printed by the next call, after the other jobs have had their turn.
      const { size } = fs.fstatSync(fd);
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(0, size - this.#offset)));
      while (this.#offset < size) {
        const length = fs.readSync(fd, buffer, 0, buffer.length, this.#offset);
        if (length === 0) break;
        this.#offset += length;
        await this.#write(buffer.subarray(0, length));
      }
      return true;
    } finally {
      fs.closeSync(fd);
    }
  }

  async #write(bytes: Buffer): Promise<void> {
    if (this.#marked === undefined) return written(bytes);
    await written(Buffer.from(this.#marked.add(bytes.toString("latin1")), "latin1"));
  }

  async #flush(): Promise<void> {
    if (this.#marked !== undefined) await written(Buffer.from(this.#marked.end(), "latin1"));
  }

  #pathOf(attempt: number): string {
    return this.#project.layout.attemptLog(this.job, attempt);
  }
}

/**
 * Offset in bytes of the last `lines` lines of a file, which is read from its end. Text after the last line break counts as a
 * line.
 */
export function startOfLast(lines: number, fd: number): number {
  const { size } = fs.fstatSync(fd);
  if (lines === 0) return size;
  let missing = lines;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - CHUNK);
    const bytes = Buffer.alloc(end - start);
    fs.readSync(fd, bytes, 0, bytes.length, start);
    for (let at = bytes.lastIndexOf(0x0a); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(0x0a, at - 1)) {
      if (start + at !== size - 1 && --missing === 0) return start + at + 1;
    }
    end = start;
  }
  return 0;
}

/** Resolves when standard output has accepted the bytes, so that a long log does not fill the memory when its reader is slow. */
function written(bytes: Buffer): Promise<void> {
  return new Promise((resolve) => process.stdout.write(bytes, () => resolve()));
}

/** The number of a job's last attempt that has a log; 1 if no attempt has a log. */
export function lastAttempt(project: Project, job: string): number {
  let attempt = 1;
  while (fs.existsSync(project.layout.attemptLog(job, attempt + 1))) attempt++;
  return attempt;
}
