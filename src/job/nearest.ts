import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/**
 * The known word that was probably meant; undefined when no known word is near. A word is near when it has the same letters in
 * another order. It is also near when at most three letters differ, and these are at most a third of the word.
 */
export function nearest<T extends string>(found: string, known: readonly T[]): T | undefined {
  // This module is loaded only when a word is unknown, because it is a tenth of the code that a command loads.
  const { closestMatch } = require("leven") as typeof import("leven");
  const word = found.slice(0, 40);
  const maxDistance = Math.min(3, Math.ceil(word.length / 3));
  const near = closestMatch(word, known, { maxDistance }) as T | undefined;
  return near ?? known.find((name) => sorted(name) === sorted(word));
}

function sorted(text: string): string {
  return [...text].sort().join("");
}
