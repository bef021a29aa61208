import { FjordError } from "../job/error.js";
import type { Access } from "../project/access.js";
import { currentDirectory } from "../project/current-directory.js";
import { Layout } from "../project/layout.js";
import { isProject, locateProject, noSuchProject } from "../project/locate.js";
import { makeProject } from "../project/make-project.js";
import { readSettingsFile } from "../project/read-settings-file.js";
import { defaultSettings, type Settings } from "../project/settings.js";
import { messageOf } from "../store/errno.js";
import { openStore } from "../store/open-store.js";
import type { Site } from "../store/site.js";
import type { OpenOptions } from "./options.js";

export interface OpenedSite extends Site {
  /** Whether `settings.ini` says whose jobs are run. */
  readonly hasJobOwners: boolean;
}

/**
 * Finds a project's directory, makes it if it does not exist, and reads its settings.
 *
 * @throws FjordError `bad-project`, `no-such-project`, `bad-settings`
 */
export function openSite(
  project: string | undefined,
  env: NodeJS.ProcessEnv,
  { create, shared }: OpenOptions,
): OpenedSite {
  const layout = new Layout(locateProject(project, env, currentDirectory));
  if (create === false && !isProject(layout))
    throw noSuchProject(project, layout.root, env, currentDirectory);
  let said: Partial<Settings>;
  let access: Access;
  try {
    access = makeProject(layout, shared);
    said = readSettingsFile(layout, access);
  } catch (error) {
    if (error instanceof FjordError) throw error;
    throw new FjordError(
      "bad-project",
      `${layout.root} cannot be a project: ${messageOf(error)}.`,
      "Name a directory that this user can write, with --project or FJORD_PROJECT.",
      { cause: error },
    );
  }
  const store = openStore(layout.root, said.store ?? "auto", access);
  const jobOwners = access === "shared" ? "group" : "own";
  const settings = { ...defaultSettings(store.kind), jobOwners, ...said };
  return { layout, store, access, settings, hasJobOwners: said.jobOwners !== undefined };
}
