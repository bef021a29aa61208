import path from "node:path";

/**
 * Resolves a path of a job file. `~/` is the home directory, and other paths are relative to `from`.
 *
 * @param home called only for a path with `~`
 */
export function resolvePath(from: string, written: string, home: () => string): string {
  const expanded = written === "~" || written.startsWith("~/") ? home() + written.slice(1) : written;
  return path.resolve(from, expanded);
}
