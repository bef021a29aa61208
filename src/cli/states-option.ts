import { FjordError } from "../job/error.js";
import { quote } from "../job/quote.js";
import type { JobState } from "../report/jobs.js";

/** `--state`, as yargs knows it: may be given again, and hold several with commas between them. */
export const STATES_OPTION = { type: "string", array: true, requiresArg: true, nargs: 1 } as const;

/** What `--state` names. Throws bad-usage for one that is not among those that the command knows. */
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
