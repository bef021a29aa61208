import { jobName } from "../job/name.js";
import { onePlaceEach } from "../jobs/find.js";
import { END_STATES, type EndState, type JobPlace, pathInState } from "../jobs/places.js";
import type { Site } from "../store/site.js";

/** Names of job files, by the state in which their jobs have ended. */
export type EndedFiles = Readonly<Record<EndState, readonly string[]>>;

/**
 * Leaves out older lives of a name. If jobs of one name ended in several directories, only the last end is kept. If a job of the
 * name waits or runs, no end is kept. The listings tell which names were used again. Only the files of these names are examined,
 * because a system call for each of a million ended jobs would take too long.
 *
 * @param open files of jobs that wait or run
 */
export async function lastEnds(
  site: Site,
  open: readonly (readonly string[])[],
  ended: EndedFiles,
): Promise<EndedFiles> {
  const { store, layout } = site;
  const again = usedAgain([...open, ...Object.values(ended)]);
  if (again.size === 0) return ended;
  const pending = new Set(open.flat().map(jobName));
  const ends: JobPlace[] = END_STATES.flatMap((state) =>
    ended[state]
      .filter((file) => again.has(jobName(file)))
      .map((file) => ({
        kind: "job",
        job: jobName(file),
        file,
        state,
        path: pathInState(layout, state, file),
      })),
  );
  const last = await onePlaceEach(
    store,
    ends.filter(({ job }) => !pending.has(job)),
  );
  const lastIn = (state: EndState) =>
    ended[state].filter((file) => {
      const job = jobName(file);
      return !again.has(job) || last.get(job)?.path === pathInState(layout, state, file);
    });
  return { done: lastIn("done"), failed: lastIn("failed"), cancelled: lastIn("cancelled") };
}

/** Jobs that occur more than once. To save memory, the names in the longest listing are only compared, not kept. */
function usedAgain(listings: readonly (readonly string[])[]): Set<string> {
  const [longest = [], ...others] = listings.toSorted((a, b) => b.length - a.length);
  const again = new Set<string>();
  const seen = new Set<string>();
  const meet = (file: string) => {
    const key = isScript(file) ? `${file}.ini` : file; // `a` and `a.ini` are one job
    if (seen.has(key)) again.add(jobName(file));
    else seen.add(key);
  };
  for (const listing of others) for (const file of listing) meet(file);
  for (const file of longest) if (isScript(file)) meet(file);
  for (const file of longest) if (seen.has(file)) again.add(jobName(file));
  return again;
}

function isScript(file: string): boolean {
  return !file.endsWith(".ini");
}
