import { formatDuration, parseDuration } from "../job/duration.js";
import { FjordError } from "../job/error.js";
import { quote } from "../job/quote.js";

/** Units as people write them out, in seconds. */
const UNITS: readonly (readonly [RegExp, number])[] = [
  [/^s(ec(onds?)?)?$/i, 1],
  [/^m(in(utes?)?)?$/i, 60],
  [/^h(ours?)?$/i, 3_600],
  [/^d(ays?)?$/i, 86_400],
  [/^w(eeks?)?$/i, 7 * 86_400],
];

/**
 * What an option says of a duration, in seconds.
 *
 * @param names what stands behind it: the unit, when that was typed as a word of its own
 * @throws FjordError `bad-usage`
 */
export function durationOf(option: string, text: string, names: readonly string[]): number {
  const [, amount, unit = ""] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const apart = unit === "" ? (names[0] ?? "") : "";
  const second = UNITS.find(([pattern]) => pattern.test(unit || apart))?.[1];
  const isApart = amount !== undefined && apart !== "" && second !== undefined;
  const seconds = parseDuration(text);
  if (seconds !== undefined && !isApart) return seconds;
  const meant = amount === undefined || second === undefined ? undefined : Number(amount) * second;
  const write =
    meant === undefined
      ? "Write a duration such as 90, 30m, 2h or 7d."
      : `Write it as one word: --${option} ${formatDuration(meant).replaceAll(" ", "")}`;
  const found = isApart ? `${quote(text)} and ${quote(apart)}` : quote(text);
  throw new FjordError("bad-usage", `--${option}: found ${found}.`, write);
}
