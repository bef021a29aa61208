import os from "node:os";

/** Names of errno(3) by libuv's number, which is negative. Two names may share a number; the first one counts. */
const NAMES = new Map<number, string>();
for (const [name, number] of Object.entries(os.constants.errno)) {
  if (!NAMES.has(-number)) NAMES.set(-number, name);
}

const NAME = /^E[A-Z0-9]+$/;

/**
 * Name in errno(3) of the error that a system call returned; the code of any other error, or "".
 *
 * libuv has no names for EDQUOT, ESTALE and ENOLCK. The code of such an error is "UNKNOWN" or "Unknown system error -116",
 * depending on the call. Its number is always right, so the name comes from the number.
 */
export function errnoOf(error: unknown): string {
  const { code, errno } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  if (typeof code !== "string") return "";
  return NAME.test(code) ? code : (NAMES.get(errno ?? 0) ?? code);
}

/** Whether an error has a name of errno(3). */
export function isNamed(error: unknown): boolean {
  return NAME.test(errnoOf(error));
}

/** Whether a system call failed with a number that has no name on this system. */
export function isUnnamed(error: unknown): boolean {
  const { errno = 0 } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  return errno < 0 && !isNamed(error);
}

/** Message of an error. If libuv does not know the error's name, the name replaces libuv's "unknown error". */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const name = errnoOf(error);
  if (name === "" || name === (error as NodeJS.ErrnoException).code) return error.message;
  const [, ...details] = error.message.split(", ");
  return [name, ...details].join(", ");
}
