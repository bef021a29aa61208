import fs from "node:fs";

/** Whether this process may execute a file, or enter a directory if the path ends in `/`. The check costs one system call. */
export function isExecutable(path: string): boolean {
  try {
    fs.accessSync(path, fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether a path is a file that this process may execute. */
export function isExecutableFile(path: string): boolean {
  try {
    return isExecutable(path) && fs.statSync(path).isFile();
  } catch {
    return false;
  }
}
