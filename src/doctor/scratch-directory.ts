import fs from "node:fs";
import path from "node:path";

const PREFIX = ".fjord-doctor-";

/** Makes a directory for the tests. @returns its path */
export function makeScratchDirectory(directory: string): string {
  return fs.mkdtempSync(path.join(directory, PREFIX));
}

/**
 * Removes a scratch directory with its contents, even if another process still writes there. Other directories are never
 * removed, because the path may come from a command line.
 */
export function removeScratchDirectory(scratch: string): void {
  if (!path.basename(scratch).startsWith(PREFIX)) return;
  fs.rmSync(scratch, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}
