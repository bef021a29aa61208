import fs from "node:fs";
import path from "node:path";
import { FjordError } from "../job/error.js";
import type { CleanOptions } from "../jobs/clean.js";
import { Project } from "../library/project.js";
import { currentDirectory } from "../project/current-directory.js";
import { Layout } from "../project/layout.js";
import { homeOfProjects, isProject } from "../project/locate.js";
import { isRunName } from "../project/run-name.js";
import { storeTime } from "../spool/settling.js";
import { ifThere } from "../store/file-facts.js";
import { openStore } from "../store/open-store.js";
import type { Store } from "../store/store.js";

export interface CleanedRuns {
  /** Names of the projects that were removed. */
  readonly runs: readonly string[];
  /** Names of projects that are old enough but were not removed, because somebody works there or did so a moment ago. */
  readonly inUse: readonly string[];
}

/**
 * Shortest time in seconds without a change before a project is removed. It protects a run that has just begun and has no worker
 * yet.
 */
const QUIET = 60;

/** Removes projects that `fjord run` has made and kept, if nobody works in them. */
export async function cleanRuns(
  env: NodeJS.ProcessEnv,
  options: Pick<CleanOptions, "olderThan" | "dryRun">,
): Promise<CleanedRuns> {
  const home = homeOfProjects(env, currentDirectory);
  const names = await runsIn(home);
  const runs: string[] = [];
  const inUse: string[] = [];
  if (names.length === 0) return { runs, inUse };
  const store = openStore(home, "auto");
  const now = await storeTime(store, home);
  for (const name of names) {
    const layout = new Layout(path.join(home, name));
    const quiet = (now - (await lastChange(store, layout))) / 1000;
    if (quiet < options.olderThan) continue;
    if (quiet < QUIET || (await isInUse(layout, env))) {
      inUse.push(name);
      continue;
    }
    if (options.dryRun !== true) await remove(layout.root);
    runs.push(name);
  }
  return { runs, inUse };
}

async function runsIn(home: string): Promise<string[]> {
  return (await ifThere(fs.promises.readdir(home), [])).filter(isRunName).sort();
}

function remove(directory: string): Promise<void> {
  return fs.promises.rm(directory, { recursive: true, force: true, maxRetries: 3 });
}

/** Time of the last change of a directory in the project, by the store's clock, ms. */
async function lastChange(store: Store, layout: Layout): Promise<number> {
  const times = [layout.root, ...layout.directories()].map(async (dir) => {
    const facts = await ifThere(store.facts(dir));
    return facts?.mtimeMs ?? 0; // a process was killed while it removed the project
  });
  return Math.max(...(await Promise.all(times)));
}

async function isInUse(layout: Layout, env: NodeJS.ProcessEnv): Promise<boolean> {
  if (!isProject(layout)) return false;
  try {
    const project = await Project.open(layout.root, env, { create: false });
    const { dispatcher, workers } = await project.status();
    return dispatcher !== undefined || workers.some(({ state }) => state !== "dead");
  } catch (error) {
    if (error instanceof FjordError) return true; // fjord cannot tell, so it keeps the project
    throw error;
  }
}
