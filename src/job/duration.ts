/** Seconds in each unit, by its names. Units in a duration must follow in this order, from the longest. */
const UNITS = new Map(
  (
    [
      ["weeks week w", 604_800],
      ["days day d", 86_400],
      ["hours hour hrs hr h", 3_600],
      ["minutes minute mins min m", 60],
      ["seconds second secs sec s", 1],
      ["ms", 0.001],
    ] as const
  ).flatMap(([names, seconds]) => names.split(" ").map((name) => [name, seconds] as const)),
);

/** Longer names come first, so that `m` does not match the start of `min`. */
const UNIT = [...UNITS.keys()].sort((a, b) => b.length - a.length).join("|");
const WITH_UNITS = new RegExp(`^(?:(?:\\d+(?:\\.\\d+)?|\\.\\d+)\\s*(?:${UNIT})\\s*)+$`);
const ONE_UNIT = new RegExp(`([\\d.]+)\\s*(${UNIT})`, "g");
const SECONDS = /^(?:\d+(?:\.\d+)?|\.\d+)$/;
/** Matches mm:ss and hh:mm:ss. */
const CLOCK = /^(\d+):(\d{1,2})(?::(\d{1,2}))?$/;
/** Matches Slurm's days-hours, days-hours:minutes and days-hours:minutes:seconds (`man sbatch`, --time). */
const DAYS = /^(\d+)-(\d{1,2})(?::(\d{1,2}))?(?::(\d{1,2}))?$/;

/**
 * Reads a duration as people write it: `90`, `1.5h`, `1h 30m`, `2 weeks`, `500ms`, `1:30` (minutes and seconds), `01:30:00`,
 * `1-02:00:00`, and everything that `formatDuration` writes. A plain number means seconds. (In Slurm a plain number means
 * minutes.)
 *
 * @returns seconds, exact to the millisecond; undefined for any other text and for negative numbers
 */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim().toLowerCase();
  const seconds = SECONDS.test(trimmed)
    ? Number(trimmed)
    : (fromUnits(trimmed) ?? fromClock(trimmed) ?? fromDays(trimmed));
  return seconds !== undefined && Number.isFinite(seconds * 1000)
    ? Math.round(seconds * 1000) / 1000
    : undefined;
}

function fromUnits(text: string): number | undefined {
  if (!WITH_UNITS.test(text)) return undefined;
  let seconds = 0;
  let last = Number.POSITIVE_INFINITY;
  for (const [, amount, name] of text.matchAll(ONE_UNIT)) {
    const unit = UNITS.get(name ?? "") ?? Number.NaN;
    // `30m 1h` and `1h 1h` are mistakes, not durations.
    if (!(unit < last)) return undefined;
    last = unit;
    seconds += Number(amount) * unit;
  }
  return seconds;
}

function fromClock(text: string): number | undefined {
  const match = CLOCK.exec(text);
  if (!match) return undefined;
  const [first, second, third] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
  if (second > 59 || third > 59) return undefined;
  return match[3] === undefined ? first * 60 + second : first * 3600 + second * 60 + third;
}

function fromDays(text: string): number | undefined {
  const match = DAYS.exec(text);
  if (!match) return undefined;
  const [days, hours, minutes, seconds] = [match[1], match[2], match[3] ?? 0, match[4] ?? 0].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  return days * 86_400 + hours * 3600 + minutes * 60 + seconds;
}

/**
 * Writes seconds in at most two units: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. The value is rounded to the
 * smallest unit shown, and rounding carries over (`59.6` is `1 min`).
 */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "unknown";
  if (seconds < 0) return `-${formatDuration(-seconds)}`;
  const milliseconds = Math.round(seconds * 1000);
  if (seconds > 0 && milliseconds < 100) return `${Math.max(1, milliseconds)} ms`;
  const tenths = Math.round(seconds * 10);
  if (tenths < 100) return `${tenths / 10} s`;
  let whole = Math.round(seconds);
  if (whole >= 3_600) whole = Math.round(whole / 60) * 60;
  if (whole >= 86_400) whole = Math.round(whole / 3_600) * 3_600;
  if (whole >= 86_400) return twoUnits(whole, 86_400, "d", 3_600, "h");
  if (whole >= 3_600) return twoUnits(whole, 3_600, "h", 60, "min");
  if (whole >= 60) return twoUnits(whole, 60, "min", 1, "s");
  return `${whole} s`;
}

function twoUnits(
  seconds: number,
  large: number,
  largeName: string,
  small: number,
  smallName: string,
): string {
  const rest = (seconds % large) / small;
  const first = `${Math.floor(seconds / large)} ${largeName}`;
  return rest === 0 ? first : `${first} ${rest} ${smallName}`;
}

/** Seconds in a unit, by any of its names; undefined when the text is not a unit. */
export function secondsIn(unit: string): number | undefined {
  return UNITS.get(unit.toLowerCase());
}
