/** What a refused command or file is told apart by; scripts may rely on these. */
export type FjordErrorCode =
  | "bad-usage"
  | "bad-settings"
  | "bad-project"
  | "no-such-project"
  | "no-such-worker"
  | "no-such-job"
  | "launcher-missing"
  | "hire-failed"
  | "job-refused";

/**
 * A refusal that is told to a person: what is wrong, where, and what to do next.
 * Anything thrown that is not a FjordError is a bug and shows its stack.
 */
export class FjordError extends Error {
  readonly code: FjordErrorCode;
  /** What to do next, one sentence; empty when there is nothing to be done. */
  readonly hint: string;

  constructor(code: FjordErrorCode, message: string, hint = "", options?: ErrorOptions) {
    super(message, options);
    this.name = "FjordError";
    this.code = code;
    this.hint = hint;
  }
}
