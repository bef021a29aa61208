import fs from "node:fs";
import path from "node:path";

const PREFIX = ".fjord-doctor-";

/** Makes a directory for the tests alone; its absolute path. */
export function makeScratch(directory: string): string {
  return fs.mkdtempSync(path.join(directory, PREFIX));
}

/** Removes it with all that is in it, whatever another process does there meanwhile; nothing else, whatever it is given. */
export function removeScratch(scratch: string): void {
  if (!path.basename(scratch).startsWith(PREFIX)) return;
  fs.rmSync(scratch, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}
