import { walk } from "./explore.js";
import type { Trait } from "./scene.js";
import { type Deviation, script } from "./script.js";

/** An error that was found, and the script or walk that found it. */
export interface Prey {
  readonly how: string;
  readonly what: string;
}

/**
 * Looks for an error.
 *
 * @param by deviation that scripts try first, at each call in turn
 * @param walks largest number of walks after the scripts
 * @param traits traits of these walks
 */
export async function hunt(
  by: readonly ["local" | "network", Deviation] | undefined,
  walks: number,
  traits: readonly Trait[] = [],
): Promise<Prey | undefined> {
  if (by !== undefined) {
    const [kind, deviation] = by;
    const { calls } = await script(kind, new Map());
    for (let n = 0; n < calls; n++) {
      const { finding } = await script(kind, new Map([[n, deviation]]));
      if (finding !== undefined) return { how: `${deviation} at call ${n}, ${kind}`, what: finding.what };
    }
  }
  for (let seed = 1; seed <= walks; seed++) {
    const { finding } = await walk(seed, traits);
    if (finding !== undefined) return { how: `seed ${seed}`, what: finding.what };
  }
  return undefined;
}
