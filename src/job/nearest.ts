import { closestMatch } from "leven";

/** What was meant, if that was a slip of the pen: not more than a third of the letters differ, nor more than three. */
export function nearest<T extends string>(found: string, known: readonly T[]): T | undefined {
  const maxDistance = Math.min(3, Math.ceil(found.length / 3));
  return closestMatch(found.slice(0, 40), known, { maxDistance }) as T | undefined;
}
