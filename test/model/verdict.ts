/** Errors with which the model refuses a call. */
export const ERRORS = ["EIO", "ESTALE", "EACCES", "EMFILE", "ENOSPC"] as const;
type ErrorName = (typeof ERRORS)[number];

/**
 * The scheduler's decision about a call:
 *
 * - `do`: the call is made.
 * - `replay`: the call is made, its reply is lost, and the client sends it again.
 * - `half`: the disk is full after half of a file's content, or after an appended line without its newline.
 * - an error: the call is refused.
 */
export type Verdict = "do" | "replay" | "half" | ErrorName;

const OPENING = new Set(["list", "read", "tail", "read on", "create", "overwrite", "write", "open"]);
const TAKING_ROOM = new Set(["create", "fill", "write", "open", "append", "link", "rename", "mkdir"]);

/** Whether this kind of call may fail with the error. Source: section 2 of the manual; NFS adds ESTALE to each call. */
export function mayBe(error: ErrorName, what: string): boolean {
  if (error === "EMFILE") return OPENING.has(what);
  return error !== "ENOSPC" || TAKING_ROOM.has(what);
}

export function isError(verdict: Verdict): verdict is ErrorName {
  return (ERRORS as readonly string[]).includes(verdict);
}
