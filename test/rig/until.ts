import { setTimeout as delay } from "node:timers/promises";

/** Seconds that anything may take on a machine that is busy with other work. */
const PATIENCE = 60;
const BETWEEN_LOOKS = 20;

export type Look<T> = T | undefined | null | false | "" | 0;

/**
 * Looks again and again, and returns the first truthy value. Every test waits with this function, and no test waits for a
 * time.
 *
 * @param what the condition in words, for the error message
 * @param state describes the situation when the condition does not come true
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
