/** Bounds of the pause between two looks at a directory, in ms. */
export interface PauseBounds {
  /** The pause is this many times as long as the look, so that looks take only a small share of the time. */
  readonly times: number;
  readonly atLeast: number;
  /** Longest pause. If the store stalled during a look, that look must not delay the next one for long. */
  readonly atMost: number;
}

/** Pause in ms after a look that took `took` ms. If the bounds contradict each other, `atLeast` wins. */
export function pauseAfter(took: number, { times, atLeast, atMost }: PauseBounds): number {
  return Math.max(atLeast, Math.min(took * times, atMost));
}
