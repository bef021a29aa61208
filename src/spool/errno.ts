import os from "node:os";

/**
 * What Node calls an error of the system's that libuv has no name for: EDQUOT, ESTALE and ENOLCK are "Unknown system error
 * -116" from some calls and "UNKNOWN" from others. Its number is right.
 */
const UNNAMED = /^(?:UNKNOWN|Unknown system error)/;
const NAMES = new Map(Object.entries(os.constants.errno).map(([name, number]) => [-number, name]));

/** The name in errno(3) of what a system call was refused with; "" of what is no such error. */
export function errnoOf(error: unknown): string {
  const { code, errno } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  if (typeof code !== "string") return "";
  return UNNAMED.test(code) ? (NAMES.get(errno ?? 0) ?? code) : code;
}

/** Whether it is an error of the system's that has no name here either. */
export function isUnnamed(name: string): boolean {
  return UNNAMED.test(name);
}

/** What an error says, with its name. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(
    /^(?:UNKNOWN: unknown error|Unknown system error -\d+: Unknown system error -\d+)/,
    errnoOf(error),
  );
}
