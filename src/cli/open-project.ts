import { FjordError } from "../job/error.js";
import { quote, visible } from "../job/quote.js";
import { Project } from "../library/project.js";
import { currentDirectory } from "../project/current-directory.js";
import { Layout } from "../project/layout.js";
import { isProject, locateProject, named, nearProject } from "../project/locate.js";

/**
 * Opens a project for a command that only reads, and does not make the project.
 *
 * @returns undefined if the default project does not exist yet
 *
 * @throws FjordError `no-such-project` if a project was named that does not exist
 */
export async function openToRead(args: { project?: string | undefined }): Promise<Project | undefined> {
  try {
    return await Project.open(args.project, process.env, { create: false });
  } catch (error) {
    const isMissing = error instanceof FjordError && error.code === "no-such-project";
    if (isMissing && named(args.project, process.env) === undefined) return undefined;
    throw error;
  }
}

/**
 * Opens a project that exists.
 *
 * @throws FjordError `no-such-project`
 */
export function openExisting(args: { project?: string | undefined }): Promise<Project> {
  return Project.open(args.project, process.env, { create: false });
}

/** Directory of the default project. */
export function defaultDirectory(): string {
  return locateProject(undefined, process.env, currentDirectory);
}

/**
 * Opens a project, and makes it if it does not exist yet, for the user alone or for the group of `--shared`.
 *
 * @param tell is called with a line if the user named the project and it is new, because the name may be mistyped
 */
export async function openProject(
  args: { project?: string | undefined; shared?: string | undefined },
  tell: (text: string) => void = () => undefined,
): Promise<Project> {
  const { env } = process;
  const options = args.shared === undefined ? {} : { shared: args.shared };
  const name = named(args.project, env);
  if (name === undefined || isProject(new Layout(locateProject(name, env, currentDirectory)))) {
    return Project.open(args.project, env, options);
  }
  const near = nearProject(name, env, currentDirectory);
  const project = await Project.open(args.project, env, options);
  const meant = near === undefined ? "" : ` Did you mean "${near}"?`;
  const whose = args.shared === undefined ? "" : ` for the group ${quote(args.shared)}`;
  tell(`Made the new project ${quote(name)} (${visible(project.directory)})${whose}.${meant}`);
  return project;
}
