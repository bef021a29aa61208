import type { Site } from "../store/site.js";
import { isErrno } from "../store/store.js";

/** The log of one attempt, which holds the job's output and fjord's messages about the attempt. */
export class AttemptLog {
  readonly path: string;
  /** Number of the attempt, from 1. */
  readonly number: number;
  readonly #site: Site;

  private constructor(site: Site, path: string, number: number) {
    this.#site = site;
    this.path = path;
    this.number = number;
  }

  /** S5: takes the next attempt number of a job. The worker that creates the log of a number has that number. */
  static async create(site: Site, job: string): Promise<AttemptLog> {
    for (let number = 1; ; number++) {
      const path = site.layout.attemptLog(job, number);
      try {
        await site.store.create(path, "", false);
        return new AttemptLog(site, path, number);
      } catch (error) {
        if (!isErrno(error, "EEXIST")) throw error;
      }
    }
  }

  /** Path relative to the project, as the ledger has it. */
  get name(): string {
    return this.path.slice(this.#site.layout.root.length + 1);
  }

  /** Gives the attempt number back, since the attempt does not start. */
  async remove(): Promise<void> {
    await this.#site.store.unlink(this.path).catch(() => undefined);
  }

  /** Adds a line. It starts a new line if the job's output does not end with a newline. */
  async append(line: string): Promise<void> {
    const { store } = this.#site;
    try {
      const isAtStart = ["", "\n"].includes(await store.tail(this.path, 1));
      const appender = await store.appender(this.path);
      await appender.append(`${isAtStart ? "" : "\n"}${line}\n`).finally(() => appender.close());
    } catch {
      // only people read this line, and no outcome depends on it
    }
  }
}
