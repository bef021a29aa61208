import { Project } from "../compose/project.js";
import { FjordError } from "../job/error.js";
import { quote, visible } from "../job/quote.js";
import { Layout } from "../project/layout.js";
import { isProject, locateProject, named, nearProject } from "../project/locate.js";

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

/** Of the commands that make a project. */
export const SHARED_OPTION = {
  type: "string",
  requiresArg: true,
  describe: "a new project is for this group: its members may submit jobs, hire and dispatch [yours alone]",
} as const;

/**
 * Opens a project, and makes it if there is none yet: for its user alone, or for the group that is said.
 *
 * @param tell called when it was named and has just been made: the name may have been mistyped
 */
export async function openProject(
  args: { project?: string | undefined; shared?: string | undefined },
  tell: (text: string) => void = () => undefined,
): Promise<Project> {
  const { env } = process;
  const options = args.shared === undefined ? {} : { shared: args.shared };
  const cwd = process.cwd();
  const name = named(args.project, env);
  if (name === undefined || isProject(new Layout(locateProject(name, env, cwd)))) {
    return Project.open(args.project, env, options);
  }
  const near = nearProject(name, env, cwd);
  const project = await Project.open(args.project, env, options);
  const meant = near === undefined ? "" : ` Did you mean "${near}"?`;
  const whose = args.shared === undefined ? "" : ` for the group ${quote(args.shared)}`;
  tell(`Made the new project ${quote(name)} (${visible(project.directory)})${whose}.${meant}`);
  return project;
}
