import fs from "node:fs";
import path from "node:path";
import { FjordError } from "../job/error.js";
import { nearest } from "../job/nearest.js";
import { quote, visible } from "../job/quote.js";
import { homeDirectory } from "./home.js";
import { Layout } from "./layout.js";

/** Function that returns the current directory. It is called only for a relative path, because the directory may be gone. */
type Here = () => string;

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

/**
 * Absolute directory of a project. A value that contains `/`, or is `.` or `..`, is a path. Any other value is a name below
 * `$FJORD_HOME` (`~/.fjord`). Without a value, `$FJORD_PROJECT` is used. If that is not set either, the name is `default`.
 *
 * @throws FjordError `bad-project` for a name that no directory can have
 */
export function locateProject(said: string | undefined, env: NodeJS.ProcessEnv, cwd: Here): string {
  const value = named(said, env) ?? "default";
  if (value.includes("/") || value === "." || value === "..") {
    const home = value === "~" || value.startsWith("~/") ? homeDirectory() + value.slice(1) : value;
    return from(cwd, home);
  }
  if (!NAME.test(value)) {
    throw new FjordError(
      "bad-project",
      `"${value}" cannot be a project's name.`,
      "A name has letters, digits, '_', '-' and '.'; a path has a '/' in it, such as ./results.",
    );
  }
  return path.join(homeOfProjects(env, cwd), value);
}

/** Name or path of the project that the user gave; undefined for the default project. */
export function named(said: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  return said ?? (env.FJORD_PROJECT || undefined);
}

/** Whether the project exists, or may exist. After an error other than ENOENT, fjord does not know. */
export function isProject(layout: Layout): boolean {
  try {
    return fs.statSync(layout.jobqueue) !== undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
}

/** Whether a project of this name or path exists. */
export function isThere(said: string, env: NodeJS.ProcessEnv, cwd: Here): boolean {
  try {
    return fs.existsSync(new Layout(locateProject(said, env, cwd)).jobqueue);
  } catch {
    return false; // no project can have this name
  }
}

/**
 * Refusal of a command that reads a project which does not exist. The message names a project with a similar name, and says how
 * to make a project.
 */
export function noSuchProject(
  said: string | undefined,
  directory: string,
  env: NodeJS.ProcessEnv,
  cwd: Here,
): FjordError {
  const near = nearProject(said, env, cwd);
  const meant = near === undefined ? "" : `Did you mean "${near}"? `;
  return new FjordError(
    "no-such-project",
    `There is no project ${quote(named(said, env) ?? "default")} yet (${visible(directory)}).`,
    `${meant}recruiter hire and dispatcher make one.`,
  );
}

/** Name of the existing project whose name is most similar to the given one. */
export function nearProject(said: string | undefined, env: NodeJS.ProcessEnv, cwd: Here): string | undefined {
  const name = named(said, env) ?? "default";
  return NAME.test(name) ? nearest(name, projectsIn(homeOfProjects(env, cwd))) : undefined;
}

/** Directory of the projects that have a name. */
export function homeOfProjects(env: NodeJS.ProcessEnv, cwd: Here): string {
  return env.FJORD_HOME ? from(cwd, env.FJORD_HOME) : path.join(homeDirectory(), ".fjord");
}

/** Names of all projects in that directory. */
export function projects(env: NodeJS.ProcessEnv, cwd: Here): string[] {
  return projectsIn(homeOfProjects(env, cwd));
}

/** Absolute form of a path. */
function from(cwd: Here, said: string): string {
  return path.isAbsolute(said) ? path.resolve(said) : path.resolve(cwd(), said);
}

function projectsIn(home: string): string[] {
  try {
    return fs.readdirSync(home).filter((entry) => isProject(new Layout(path.join(home, entry))));
  } catch {
    return []; // there is no project yet
  }
}
