import path from "node:path";
import type { Watch, Watching } from "../../src/store/store.js";
import type { Change } from "./server.js";
import type { Actor } from "./world.js";

interface Bell {
  readonly actor: Actor;
  readonly dir: string;
  readonly ring: (entry: string | undefined) => void;
}

/** Delay of a late event, ms. */
const LATE = 700;

/**
 * Watch events. An event comes at once, late, twice, or not at all. An event that comes at once may come before the
 * file is complete.
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
