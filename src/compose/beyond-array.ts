import { elementOf } from "../job/element.js";
import { FjordError } from "../job/error.js";
import { quote } from "../job/quote.js";
import { shellWord } from "../job/shell-words.js";
import type { Layout } from "../project/layout.js";
import type { Store } from "../spool/store.js";
import { patternsOf } from "./select.js";

/**
 * The same refusal; when it is of a name that would be an element's of an array that has begun, as `train_101` of one of
 * 100, with what tells which elements there are.
 *
 * @param words that named jobs
 */
export async function hintAtArray(
  store: Store,
  layout: Layout,
  words: readonly string[],
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof FjordError) || error.code !== "no-such-job") return error;
  const named = words.flatMap(patternsOf).find(({ text }) => error.message.includes(` ${quote(text)}.`));
  const array = named === undefined || named.isGlob ? undefined : elementOf(named.text)?.array;
  if (array === undefined || !(await store.has(layout.arrayFile(array)))) return error;
  const hint = `fjord show ${shellWord(array)} tells which elements there are.`;
  return new FjordError(error.code, error.message, hint, { cause: error.cause });
}
