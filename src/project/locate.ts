import os from "node:os";
import path from "node:path";
import { FjordError } from "../job/error.js";

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

/**
 * The project's absolute directory. A value with a `/` in it, or `.` or `..`, is a path; anything else is a
 * name below `$FJORD_HOME` (`~/.fjord`). Nothing said: `$FJORD_PROJECT`, else `default`.
 *
 * @throws FjordError `bad-project` for a name that could not be a directory's
 */
export function locateProject(said: string | undefined, env: NodeJS.ProcessEnv, cwd: string): string {
  const value = said ?? (env.FJORD_PROJECT || "default");
  if (value.includes("/") || value === "." || value === "..") {
    const home = value === "~" || value.startsWith("~/") ? os.homedir() + value.slice(1) : value;
    return path.resolve(cwd, home);
  }
  if (!NAME.test(value)) {
    throw new FjordError(
      "bad-project",
      `"${value}" cannot be a project's name.`,
      "A name has letters, digits, '_', '-' and '.'; a path has a '/' in it, such as ./results.",
    );
  }
  const home = env.FJORD_HOME ? path.resolve(cwd, env.FJORD_HOME) : path.join(os.homedir(), ".fjord");
  return path.join(home, value);
}
