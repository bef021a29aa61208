import { formatDuration, parseDuration, secondsIn } from "../job/duration.js";
import { FjordError } from "../job/error.js";
import { quote } from "../job/quote.js";

/**
 * Reads the value of an option as a duration, in seconds.
 *
 * @param names words after the option. The first one is a unit if somebody typed `--timeout 2 hours`.
 * @throws FjordError `bad-usage`
 */
export function durationOf(option: string, text: string, names: readonly string[]): number {
  const [apart = ""] = names;
  const unit = /^\s*\d+(?:\.\d+)?\s*$/.test(text) ? secondsIn(apart) : undefined;
  if (unit !== undefined) {
    const meant = formatDuration(Number(text) * unit).replaceAll(" ", "");
    const write = `Write it as one word: --${option} ${meant}`;
    throw new FjordError("bad-usage", `--${option}: found ${quote(text)} and ${quote(apart)}.`, write);
  }
  const seconds = parseDuration(text);
  if (seconds !== undefined) return seconds;
  const found = `--${option}: found ${quote(text)}.`;
  throw new FjordError("bad-usage", found, "Write a duration such as 90, 30m, 2h, 7d or 2weeks.");
}
