import fs from "node:fs";
import path from "node:path";

/**
 * Makes a directory and the missing directories above it. `mkdirSync(…, { recursive: true })` never returns below `/proc`, where
 * nothing can be made, because Node 20 repeats the call after each ENOENT.
 *
 * @param mode mode of the directory itself, before the umask. Missing directories above it get default modes, minus the umask
 * @throws ErrnoException
 */
export function makeDirectory(dir: string, mode = 0o777): void {
  try {
    fs.mkdirSync(dir, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && fs.statSync(dir).isDirectory()) return;
    if (code !== "ENOENT" || path.dirname(dir) === dir) throw error;
    makeDirectory(path.dirname(dir));
    makeLast(dir, mode);
  }
}

/** Makes a directory whose parent exists. Another process may make it at the same time. */
function makeLast(dir: string, mode: number): void {
  try {
    fs.mkdirSync(dir, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
