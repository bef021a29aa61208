import { setTimeout as delay } from "node:timers/promises";

/** Seconds that anything may take on a machine that has other things to do. */
const PATIENCE = 30;
const BETWEEN_LOOKS = 20;

export type Look<T> = T | undefined | null | false | "" | 0;

/**
 * Waits for a condition: looks again and again, and gives back the first truthy value. Nothing in the tests waits for a time.
 *
 * @param what what is waited for, for the message
 * @param state asked when it did not come: what is there instead
 */
export async function until<T>(
  what: string,
  look: () => Look<T> | Promise<Look<T>>,
  state: () => string = () => "",
  patience = PATIENCE,
): Promise<T> {
  const deadline = performance.now() + patience * 1000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > deadline) {
      throw new Error(`waited ${patience} s in vain until ${what}\n${state()}`);
    }
    await delay(BETWEEN_LOOKS);
  }
}
