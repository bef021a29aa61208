import fs from "node:fs";
import path from "node:path";
import { FjordError } from "../job/error.js";
import { Layout } from "../project/layout.js";
import { homeOfProjects, isProject } from "../project/locate.js";
import { isRunName } from "../project/run-name.js";
import { openStore } from "../spool/open-store.js";
import { storeTime } from "../spool/settling.js";
import { isErrno, type Store } from "../spool/store.js";
import type { CleanOptions } from "./clean.js";
import { Project } from "./project.js";

export interface CleanedRuns {
  /** Names of the projects that were removed. */
  readonly runs: readonly string[];
  /** Old enough, and left: somebody works there, or may be about to. */
  readonly inUse: readonly string[];
}

/** Seconds in which nothing has to have happened in a project: a run that begins has nobody on duty yet. */
const QUIET = 60;

/** Removes the projects that `fjord run` has made and kept, but not those in which anybody is at work. */
export async function cleanRuns(
  env: NodeJS.ProcessEnv,
  options: Pick<CleanOptions, "olderThan" | "dryRun">,
): Promise<CleanedRuns> {
  const home = homeOfProjects(env, process.cwd());
  const names = await runsIn(home);
  const runs: string[] = [];
  const inUse: string[] = [];
  if (names.length === 0) return { runs, inUse };
  const store = openStore(home, "auto");
  const now = await storeTime(store, home);
  for (const name of names) {
    const layout = new Layout(path.join(home, name));
    const still = (now - (await lastChange(store, layout))) / 1000;
    if (still < options.olderThan) continue;
    if (still < QUIET || (await isInUse(layout, env))) {
      inUse.push(name);
      continue;
    }
    if (options.dryRun !== true) await remove(layout.root);
    runs.push(name);
  }
  return { runs, inUse };
}

async function runsIn(home: string): Promise<string[]> {
  try {
    return (await fs.promises.readdir(home)).filter(isRunName).sort();
  } catch (error) {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  }
}

function remove(directory: string): Promise<void> {
  return fs.promises.rm(directory, { recursive: true, force: true, maxRetries: 3 });
}

/** When a file last came or went anywhere, by the store's clock, ms. */
async function lastChange(store: Store, layout: Layout): Promise<number> {
  const times = [layout.root, ...layout.directories()].map(async (dir) => {
    try {
      return (await store.facts(dir)).mtimeMs;
    } catch (error) {
      if (isErrno(error, "ENOENT")) return 0; // it was being removed when somebody was killed
      throw error;
    }
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
    if (error instanceof FjordError) return true; // nobody can see into it
    throw error;
  }
}
