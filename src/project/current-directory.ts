import path from "node:path";
import { FjordError } from "../job/error.js";

/**
 * Current directory of this process. Only a command that needs it calls this, so other commands work in a removed directory.
 *
 * @throws FjordError `bad-usage` when the directory has been removed
 */
export function currentDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isGone = code === "ENOENT";
    throw new FjordError(
      "bad-usage",
      isGone ? "The current directory is gone." : `The current directory cannot be read: ${code}.`,
      `Change to a directory that ${isGone ? "is there" : "can be read"} (cd), and try again.`,
      { cause: error },
    );
  }
}

/** Absolute form of a path that somebody typed. A relative path starts in the current directory. */
export function fromHere(typed: string): string {
  return path.isAbsolute(typed) ? path.resolve(typed) : path.resolve(currentDirectory(), typed);
}
