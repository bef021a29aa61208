/** `warning`: fjord works here, with a limit. `bad`: fjord does not work here, or not safely. */
type Verdict = "ok" | "warning" | "bad";

/** Result of one test. */
export interface Judgement {
  readonly verdict: Verdict;
  /** The observation, as one line for people. */
  readonly found: string;
  /** The consequence for fjord, as one line for people. */
  readonly means: string;
  /** The figures, for programs. */
  readonly measured?: object;
}

export interface Finding extends Judgement {
  readonly test: string;
}

/** Writes milliseconds for people: `0.4 ms`, `12 ms`, `3.1 s`. */
export function formatMs(ms: number): string {
  const size = Math.abs(ms);
  if (size >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms.toFixed(size < 10 ? 1 : 0)} ms`;
}
