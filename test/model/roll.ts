import { deskKind, workerOfAnnouncement, workerOfPulse } from "../../src/project/entry-names.js";
import type { Layout } from "../../src/project/layout.js";
import type { Inode, Server } from "./server.js";
import type { World } from "./world.js";

/** Share by which a clock may be wrong. */
export const DRIFT = 0.01;

/**
 * Observes S7 and S8 from outside: when each worker's heartbeat came, and whether a worker was silent when it was
 * declared lost.
 */
export class Roll {
  readonly #world: World;
  readonly #server: Server;
  readonly #layout: Layout;
  readonly #lease: number;
  /** Whether other actors may know that a worker's process is dead. */
  readonly #isKnownDead: (worker: string) => boolean;
  /** Time when a worker's counter last changed. */
  readonly #moved = new Map<string, { beat: string; at: number }>();
  /** Time in ms for which a worker had been silent when an actor last looked at it. The key is `ACTOR WORKER`. */
  readonly #silences = new Map<string, number>();
  readonly #fenced = new Set<string>();
  /**
   * Workers that were silent for a lease, and whose heartbeat came just before they were declared lost because of that
   * silence.
   */
  readonly #returned = new Set<string>();

  /** @param lease in ms */
  constructor(
    world: World,
    server: Server,
    layout: Layout,
    lease: number,
    isKnownDead: (worker: string) => boolean,
  ) {
    this.#world = world;
    this.#server = server;
    this.#layout = layout;
    this.#lease = lease;
    this.#isKnownDead = isKnownDead;
  }

  isFenced(worker: string): boolean {
    return this.#fenced.has(worker);
  }

  hasReturned(worker: string): boolean {
    return this.#returned.has(worker);
  }

  /** Follows a change of an announcement, under either of its names. */
  seeBeat(path: string, { ino, data, entries }: Inode): void {
    const name = nameOf(path);
    const worker = path.startsWith(`${this.#layout.workerqueue}/`)
      ? workerOfAnnouncement(name)
      : workerOfPulse(name);
    if (worker === undefined || entries !== undefined) return;
    if (this.#server.find(this.#layout.announcement(worker))?.ino !== ino) return;
    const beats = [...data.toString().matchAll(/^beat *[=:] *(\d+)$/gm)].map(([, beat]) => beat);
    if (beats.length !== 2 || beats[0] !== beats[1]) return;
    const beat = beats[0] ?? "";
    if (this.#moved.get(worker)?.beat === beat) return;
    this.#moved.set(worker, { beat, at: this.#world.time });
  }

  seeLook(path: string): void {
    if (!path.startsWith(`${this.#layout.workerqueue}/`)) return;
    const worker = workerOfAnnouncement(nameOf(path)) ?? "";
    const { time, current } = this.#world;
    this.#silences.set(
      `${current} ${worker}`,
      time - (this.#moved.get(worker)?.at ?? Number.NEGATIVE_INFINITY),
    );
  }

  /** Checks the rename of a desk. S8: a worker whose heartbeat came within the lease is not declared lost. */
  seeDesk(path: string, to: string): void {
    const kind = deskKind(nameOf(to));
    if (kind?.kind !== "fenced" || !to.startsWith(`${this.#layout.jobpod}/`)) return;
    const { worker } = kind;
    this.#fenced.add(worker);
    if (this.#isKnownDead(worker)) return;
    const { time, current } = this.#world;
    const silence = this.#silences.get(`${current} ${worker}`) ?? Number.POSITIVE_INFINITY;
    if (!this.#isLease(silence))
      this.#world.fail(`lost too early: ${path}, ${silence / 1000} s after its beat`);
    // The worker has come back after the last look at it.
    if (!this.#isLease(time - (this.#moved.get(worker)?.at ?? 0))) this.#returned.add(worker);
  }

  #isLease(ms: number): boolean {
    return ms >= this.#lease * (1 - DRIFT);
  }
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
