import { elementOf } from "../job/element.js";
import { isIgnored } from "../job/name.js";
import { readArray } from "../spool/array-parts.js";
import { factsIfThere } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import { findOnDesks } from "./find.js";
import { placesOf } from "./numbers.js";
import { JOB_STATES, type JobPlace, pathInState, type RoomState } from "./places.js";

/** Longest name that a file can have, in bytes (NAME_MAX). fjord does not ask the store for a longer name. */
const LONGEST = 255;

/**
 * Finds the jobs of these names as `findJobs` does. If a name may be that of an element, it also finds the numbers of the array.
 * The function looks up each name in each directory and lists only the desks, so its cost does not depend on the number of other
 * jobs.
 */
export async function findNamed(site: Site, names: ReadonlySet<string>): Promise<JobPlace[]> {
  const { layout } = site;
  const found: JobPlace[] = [];
  const arrays = new Set([...names].flatMap((name) => elementOf(name)?.array ?? []));
  for (const array of arrays) {
    const view = filesOf(array).length === 0 ? undefined : await readArray(site, array);
    if (view !== undefined) found.push(...placesOf(layout, view, new Set(JOB_STATES)));
  }
  const wanted = [...new Set([...names, ...arrays])];
  // This searches in the order of the states, as `findJobs` does.
  for (const state of JOB_STATES) {
    found.push(...(await (state === "running" ? findOnDesks(site) : lookUp(site, state, wanted))));
  }
  return found;
}

async function lookUp(
  { store, layout }: Site,
  state: RoomState,
  jobs: readonly string[],
): Promise<JobPlace[]> {
  const places = jobs.flatMap((job) =>
    filesOf(job).map(async (file): Promise<JobPlace[]> => {
      const path = pathInState(layout, state, file);
      if ((await factsIfThere(store, path)) === undefined) return [];
      return [{ kind: "job", job, file, state, path }];
    }),
  );
  return (await Promise.all(places)).flat();
}

/** Names that the file of a job may have: with the suffix `.ini`, or the job's name itself for a script. */
function filesOf(job: string): string[] {
  const files = job.endsWith(".ini") ? [`${job}.ini`] : [`${job}.ini`, job];
  return files.filter(
    (file) => job !== "" && !isIgnored(file) && !/[/\0]/.test(file) && Buffer.byteLength(file) <= LONGEST,
  );
}
