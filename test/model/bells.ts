import path from "node:path";
import type { Watch, Watching } from "../../src/spool/store.js";
import type { Change } from "./server.js";
import type { Actor } from "./world.js";

interface Bell {
  readonly actor: Actor;
  readonly dir: string;
  readonly ring: (entry: string | undefined) => void;
}

/** What a bell may be late by, ms. */
const LATE = 700;

/**
 * Watch events: one of a change comes at once, which may be before what is written has been written to its end, or late, or
 * twice, or not at all.
 */
export class Bells {
  readonly #bells = new Set<Bell>();

  watchFor(actor: Actor): Watch {
    return (dir, ring): Watching => {
      const bell = { actor, dir, ring };
      this.#bells.add(bell);
      return {
        ready: Promise.resolve(),
        close: async () => void this.#bells.delete(bell),
      };
    };
  }

  see({ path: from, to = from }: Change): void {
    for (const bell of this.#bells) {
      for (const file of new Set([from, to])) if (path.dirname(file) === bell.dir) this.#ring(bell, file);
    }
  }

  #ring(bell: Bell, file: string): void {
    const { actor, ring } = bell;
    const { world } = actor;
    if (actor.isOver) return;
    const ringIn = (ms: number) =>
      void world.after(ms, () => this.#bells.has(bell) && ring(path.basename(file)), actor);
    const isHeard = world.toss();
    const isOdd = world.toss();
    if (isHeard) ringIn(0);
    if (isOdd) ringIn(LATE);
  }
}
