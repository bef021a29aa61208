import fs from "node:fs";
import path from "node:path";

/**
 * Makes a directory and what is missing above it. Not `mkdirSync(…, { recursive: true })`: where nothing can be made,
 * below `/proc` say, that never comes back (Node 20 tries again and again after ENOENT).
 *
 * @param mode of the directory itself, less the umask; what is made above it is for whom the umask leaves it
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

/** Its parent is there; another process may be making the same. */
function makeLast(dir: string, mode: number): void {
  try {
    fs.mkdirSync(dir, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
