import path from "node:path";

/** A path as people write it in a job file: `~/` is the home, the rest is relative to `from`. */
export function resolvePath(from: string, written: string, home: string): string {
  const expanded = written === "~" || written.startsWith("~/") ? home + written.slice(1) : written;
  return path.resolve(from, expanded);
}
