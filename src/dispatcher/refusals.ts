import { jobName } from "../job/name.js";
import type { Recorder } from "../spool/actor.js";
import { refusalLogOf, refuse, refuseUndecodable } from "../spool/refuse.js";
import { isDenied, isTrouble } from "../store/store.js";

/** Time in ms for which the dispatcher leaves a file alone that it could not move. */
const ASIDE = 10_000;

/** Files in the queue that are not valid jobs, and files that cannot be moved. */
export class Refusals {
  readonly #actor: Recorder;
  readonly #onRefused: (file: string, reason: string) => void;
  /** Files that could not be moved, with the time of the last try (monotonic, ms). */
  readonly #aside = new Map<string, number>();
  /** Names of jobs that this dispatcher has refused, and for which no valid job has come since then. */
  readonly #refused = new Set<string>();

  constructor(actor: Recorder, onRefused: (file: string, reason: string) => void) {
    this.#actor = actor;
    this.#onRefused = onRefused;
  }

  /** Number of files that could not be moved. */
  get aside(): number {
    return this.#aside.size;
  }

  isAside(file: string): boolean {
    return this.#aside.has(file);
  }

  /** Whether a file that could not be moved is left alone for now. */
  isLeftAlone(file: string): boolean {
    const tried = this.#aside.get(file);
    return tried !== undefined && this.#actor.store.clock.now() - tried < ASIDE;
  }

  /**
   * Handles a file that cannot be moved, which must not stop the other jobs. The dispatcher reports the file once, and tries
   * again after a while, because somebody may repair the permissions.
   */
  setAside(file: string, error: unknown): void {
    const isTold = this.#aside.has(file);
    this.#aside.set(file, this.#actor.store.clock.now());
    if (isTold) return;
    const why = error instanceof Error ? error.message : String(error);
    this.#onRefused(file, `${file}: cannot be moved out of the queue (${why}); chown or remove it.`);
  }

  /** Forgets the files that have left the queue. */
  forget(hasLeft: (file: string) => boolean): void {
    for (const file of this.#aside.keys()) if (hasLeft(file)) this.#aside.delete(file);
  }

  /**
   * Refuses a file in the queue.
   *
   * @returns false when the store has no space for the reason, so that the file must be read again
   */
  async refuse(file: string, reason: string): Promise<boolean> {
    try {
      if (file.includes("\ufffd")) {
        const moved = await refuseUndecodable(this.#actor);
        for (const name of moved) this.#onRefused(name, reason);
        if (moved.length > 0) return true;
      }
      if (await refuse(this.#actor, this.#actor.layout.queued(file), reason)) {
        this.#refused.add(jobName(file));
        this.#onRefused(file, reason);
      }
    } catch (error) {
      if (!isTrouble(error)) throw error;
      if (!isDenied(error)) return false;
      this.setAside(file, error);
    }
    return true;
  }

  /** Whether this dispatcher has refused a file of this name, and none has been valid since then. */
  hasRefused(file: string): boolean {
    return this.#refused.has(jobName(file));
  }

  /** Removes the reason for refusing an earlier file, because a valid job of this name has come. The ledger keeps the reason. */
  async forgive(file: string): Promise<void> {
    this.#refused.delete(jobName(file));
    await this.#actor.store.unlink(refusalLogOf(this.#actor.layout, file)).catch(() => undefined);
  }
}
