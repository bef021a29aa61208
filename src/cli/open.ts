import { Project } from "../compose/project.js";
import { FjordError } from "../job/error.js";
import { locateProject, named } from "../project/locate.js";

/**
 * Opens a project for who only looks: looking makes nothing. Undefined: it is the default project, and nobody has made
 * that yet.
 *
 * @throws FjordError `no-such-project` for one that was named
 */
export async function openToLook(args: { project?: string | undefined }): Promise<Project | undefined> {
  try {
    return await Project.open(args.project, process.env, { create: false });
  } catch (error) {
    const isMissing = error instanceof FjordError && error.code === "no-such-project";
    if (isMissing && named(args.project, process.env) === undefined) return undefined;
    throw error;
  }
}

/**
 * Opens a project that is there.
 *
 * @throws FjordError `no-such-project`
 */
export function openExisting(args: { project?: string | undefined }): Promise<Project> {
  return Project.open(args.project, process.env, { create: false });
}

/** Where the default project will be. */
export function defaultDirectory(): string {
  return locateProject(undefined, process.env, process.cwd());
}

export function openProject(args: { project?: string | undefined }): Promise<Project> {
  return Project.open(args.project);
}
