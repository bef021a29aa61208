import fs from "node:fs";
import path from "node:path";
import { Project } from "../library/project.js";
import { currentDirectory } from "../project/current-directory.js";
import { homeOfProjects } from "../project/locate.js";
import { makeDirectory } from "../project/make-directory.js";
import { newRunName } from "../project/run-name.js";
import { refuseUnlessUtf8 } from "../project/utf8-path.js";

/** Settings of a run's own project. The idle limit lets the workers end by themselves if the run is killed. */
const SETTINGS = "[fjord]\nidle_limit = 10 min\n";

/** The project of a run. If the user named no project, the project belongs to the run alone, and is removed after a success. */
export interface RunProject {
  readonly project: Project;
  readonly isOwn: boolean;
}

/** Opens the project that the user named, or makes a project for this run. */
export async function openRunProject(named: string | undefined): Promise<RunProject> {
  if (named !== undefined) return { project: await Project.open(named), isOwn: false };
  const directory = path.join(homeOfProjects(process.env, currentDirectory), newRunName());
  refuseUnlessUtf8("The project's directory", directory);
  makeDirectory(directory, 0o700);
  fs.writeFileSync(path.join(directory, "settings.ini"), SETTINGS, { mode: 0o600 });
  return { project: await Project.open(directory), isOwn: true };
}
