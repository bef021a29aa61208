import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** What was meant, if that was a slip of the pen: letters in another order, or up to a third of them (three) differ. */
export function nearest<T extends string>(found: string, known: readonly T[]): T | undefined {
  // Loaded for who has made a slip: it is a tenth of what a command loads.
  const { closestMatch } = require("leven") as typeof import("leven");
  const word = found.slice(0, 40);
  const maxDistance = Math.min(3, Math.ceil(word.length / 3));
  const near = closestMatch(word, known, { maxDistance }) as T | undefined;
  return near ?? known.find((name) => sorted(name) === sorted(word));
}

function sorted(text: string): string {
  return [...text].sort().join("");
}
