/** `warning`: fjord works here, with what is said. `bad`: it does not, or not safely. */
type Verdict = "ok" | "warning" | "bad";

/** What one test found, judged. */
export interface Judgement {
  readonly verdict: Verdict;
  /** What was found, and what that means for fjord: one line each, for people. */
  readonly found: string;
  readonly means: string;
  /** The figures, for programs. */
  readonly measured?: object;
}

export interface Finding extends Judgement {
  readonly test: string;
}

/** Milliseconds for people: `0.4 ms`, `12 ms`, `3.1 s`. */
export function formatMs(ms: number): string {
  const size = Math.abs(ms);
  if (size >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms.toFixed(size < 10 ? 1 : 0)} ms`;
}
