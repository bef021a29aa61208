import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { FjordError } from "../job/error.js";
import { nearest } from "../job/nearest.js";
import { quote, visible } from "../job/quote.js";
import { Layout } from "./layout.js";

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

/**
 * The project's absolute directory. A value with a `/` in it, or `.` or `..`, is a path; anything else is a
 * name below `$FJORD_HOME` (`~/.fjord`). Nothing said: `$FJORD_PROJECT`, else `default`.
 *
 * @throws FjordError `bad-project` for a name that could not be a directory's
 */
export function locateProject(said: string | undefined, env: NodeJS.ProcessEnv, cwd: string): string {
  const value = named(said, env) ?? "default";
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
  return path.join(homeOfProjects(env, cwd), value);
}

/** What somebody called the project; undefined: nobody did, it is the default one. */
export function named(said: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  return said ?? (env.FJORD_PROJECT || undefined);
}

/** Whether there is a project, or something that keeps us from seeing one. */
export function isProject(layout: Layout): boolean {
  try {
    return fs.statSync(layout.jobqueue) !== undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
}

/** Whether a project of this name or path has been made. */
export function isThere(said: string, env: NodeJS.ProcessEnv, cwd: string): boolean {
  try {
    return fs.existsSync(new Layout(locateProject(said, env, cwd)).jobqueue);
  } catch {
    return false; // no name of a project
  }
}

/** A refusal for who wants to look at a project that nobody has made: the near one is named, and how to make it. */
export function noSuchProject(
  said: string | undefined,
  directory: string,
  env: NodeJS.ProcessEnv,
  cwd: string,
): FjordError {
  const near = nearProject(said, env, cwd);
  const meant = near === undefined ? "" : `Did you mean "${near}"? `;
  return new FjordError(
    "no-such-project",
    `There is no project ${quote(named(said, env) ?? "default")} yet (${visible(directory)}).`,
    `${meant}recruiter hire and dispatcher make one.`,
  );
}

/** The project there is of which the name is near to the one that was said. */
export function nearProject(
  said: string | undefined,
  env: NodeJS.ProcessEnv,
  cwd: string,
): string | undefined {
  const name = named(said, env) ?? "default";
  return NAME.test(name) ? nearest(name, projectsIn(homeOfProjects(env, cwd))) : undefined;
}

/** The directory that projects with a name lie in. */
export function homeOfProjects(env: NodeJS.ProcessEnv, cwd: string): string {
  return env.FJORD_HOME ? path.resolve(cwd, env.FJORD_HOME) : path.join(os.homedir(), ".fjord");
}

/** The names of the projects that there are. */
export function projects(env: NodeJS.ProcessEnv, cwd: string): string[] {
  return projectsIn(homeOfProjects(env, cwd));
}

function projectsIn(home: string): string[] {
  try {
    return fs.readdirSync(home).filter((entry) => isProject(new Layout(path.join(home, entry))));
  } catch {
    return []; // nobody has made one yet
  }
}
