import { FjordError } from "../job/error.js";
import { quote } from "../job/quote.js";
import type { JobState } from "../jobs/places.js";

/**
 * Reads the values of `--state`. Each value is one state, or several states separated by commas.
 *
 * @param among the states that the command knows
 * @throws FjordError `bad-usage` for another state
 */
export function statesOf(words: readonly string[], among: Iterable<JobState>): ReadonlySet<JobState> {
  const known: ReadonlySet<string> = new Set(among);
  const states = words.flatMap((word) => word.split(","));
  const unknown = states.find((state) => !known.has(state));
  if (unknown !== undefined) {
    throw new FjordError(
      "bad-usage",
      `--state: found ${quote(unknown)}.`,
      `The states are ${[...known].join(", ")}.`,
    );
  }
  return new Set(states as JobState[]);
}
