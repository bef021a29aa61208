/** Kinds of refusal. Scripts may rely on these codes. */
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
 * A refusal, explained for a person: what is wrong, where, and what to do next. Any other error is a bug in fjord, and the
 * commands print its stack.
 */
export class FjordError extends Error {
  readonly code: FjordErrorCode;
  /** Next step for the user, in one sentence; empty when nothing can be done. */
  readonly hint: string;

  constructor(code: FjordErrorCode, message: string, hint = "", options?: ErrorOptions) {
    super(message, options);
    this.name = "FjordError";
    this.code = code;
    this.hint = hint;
  }
}
