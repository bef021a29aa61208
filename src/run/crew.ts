import type { Project } from "../library/project.js";
import { messageOf } from "../store/errno.js";

/** `short`: lost workers cannot be replaced, and `left` workers remain. `full`: all lost workers have been replaced. */
export type CrewNews = { kind: "short"; left: number; reason: string } | { kind: "full" };

interface OnCrew {
  readonly onNews: ((news: CrewNews) => void) | undefined;
  /** Called when no worker is left and none can be hired. */
  readonly onFailure: () => void;
}

/** Pause before the next try to hire workers, ms. */
const TRIES_APART = 10_000;

/** The workers of a run. */
export class Crew {
  readonly #project: Pick<Project, "hire" | "workers" | "fire" | "store">;
  readonly #size: number;
  readonly #on: OnCrew;
  #hiring: Promise<void> | undefined;
  #nextTry = Number.NEGATIVE_INFINITY;
  #isShort = false;
  /** Why lost workers could not be replaced; undefined as long as a worker is left. */
  failure: unknown;

  constructor(project: Pick<Project, "hire" | "workers" | "fire" | "store">, size: number, on: OnCrew) {
    this.#project = project;
    this.#size = size;
    this.#on = on;
  }

  async hire(): Promise<void> {
    await this.#project.hire(this.#size);
  }

  /** Replaces workers that were lost, or that left because they had nothing to do. */
  fill(progress: { waiting: number; running: number; workers: number }): void {
    const wanted = Math.min(this.#size, progress.waiting + progress.running);
    if (progress.workers >= wanted) {
      // At its end, a run needs fewer workers. If so, no worker was replaced, and there is nothing to report.
      if (this.#isShort && progress.workers >= this.#size) this.#on.onNews?.({ kind: "full" });
      this.#isShort = false;
      return;
    }
    if (this.#hiring !== undefined || this.#project.store.clock.now() < this.#nextTry) return;
    this.#hiring = this.#fill(wanted)
      .catch((error) => this.#fallShort(error))
      .catch((error) => this.#fail(error))
      .finally(() => {
        this.#hiring = undefined;
      });
  }

  async #fill(wanted: number): Promise<void> {
    const missing = wanted - (await this.#project.workers()).length; // the dispatcher may not know the newest workers
    if (missing > 0) await this.#project.hire(missing);
  }

  async #fallShort(error: unknown): Promise<void> {
    const left = (await this.#project.workers()).filter(({ state }) => state !== "dead").length;
    if (left === 0) return this.#fail(error);
    this.#nextTry = this.#project.store.clock.now() + TRIES_APART;
    if (!this.#isShort) this.#on.onNews?.({ kind: "short", left, reason: messageOf(error) });
    this.#isShort = true;
  }

  #fail(error: unknown): void {
    this.failure ??= error;
    this.#on.onFailure();
  }

  async fire(): Promise<void> {
    await this.#hiring;
    await this.#project.fire({ now: true, untilGone: true });
  }
}
