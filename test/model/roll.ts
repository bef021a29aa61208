import type { Layout } from "../../src/project/layout.js";
import type { Inode, Server } from "./server.js";
import type { World } from "./world.js";

/** The share by which a clock may be wrong. */
export const DRIFT = 0.01;

/** S7, S8 as they are seen from outside: when workers were heard, and whether who was declared lost had been silent. */
export class Roll {
  readonly #world: World;
  readonly #server: Server;
  readonly #layout: Layout;
  readonly #lease: number;
  /** Whether others may know of a worker's process that it is dead. */
  readonly #isKnownDead: (worker: string) => boolean;
  /** When a worker's counter was last moved. */
  readonly #moved = new Map<string, { beat: string; at: number }>();
  /** By who looked, and at which worker: for how long that one had been silent then, ms. */
  readonly #silences = new Map<string, number>();
  readonly #fenced = new Set<string>();
  /** Those that were silent for a lease and were heard again just before they were declared lost for that. */
  readonly #returned = new Set<string>();

  /** @param lease ms */
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

  /** A file has changed: an announcement, by either of its names. */
  seeBeat(path: string, { ino, data, entries }: Inode): void {
    const name = nameOf(path);
    const worker = path.startsWith(`${this.#layout.workerqueue}/`)
      ? this.#layout.workerOf(name)
      : this.#layout.workerOfPulse(name);
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
    const worker = this.#layout.workerOf(nameOf(path)) ?? "";
    const { time, current } = this.#world;
    this.#silences.set(
      `${current} ${worker}`,
      time - (this.#moved.get(worker)?.at ?? Number.NEGATIVE_INFINITY),
    );
  }

  /** A directory has got another name. S8: nobody is lost who has been heard within the lease. */
  seeDesk(path: string, to: string): void {
    const kind = this.#layout.deskKind(nameOf(to));
    if (kind?.kind !== "fenced" || !to.startsWith(`${this.#layout.jobpod}/`)) return;
    const { worker } = kind;
    this.#fenced.add(worker);
    if (this.#isKnownDead(worker)) return;
    const { time, current } = this.#world;
    const silence = this.#silences.get(`${current} ${worker}`) ?? Number.POSITIVE_INFINITY;
    if (!this.#isLease(silence))
      this.#world.fail(`lost too early: ${path}, ${silence / 1000} s after its beat`);
    // It has come back between the last look at it and the consequence.
    if (!this.#isLease(time - (this.#moved.get(worker)?.at ?? 0))) this.#returned.add(worker);
  }

  #isLease(ms: number): boolean {
    return ms >= this.#lease * (1 - DRIFT);
  }
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
