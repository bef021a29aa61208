import { jobName } from "../job/name.js";
import type { EndRoom, Layout } from "../project/layout.js";
import type { Store } from "../spool/store.js";
import { type JobPlace, onePlaceEach } from "./jobs.js";

/** Names of job files, by the room that they lie in. */
export type EndedFiles = Readonly<Record<EndRoom, readonly string[]>>;

const STATES = { jobdone: "done", jobfailed: "failed", jobcancelled: "cancelled" } as const;
const ROOMS = Object.keys(STATES) as EndRoom[];

/**
 * The same without older lives of a name: of a job that ended in several rooms only its last end is left, of one that is
 * to be done again none. The listings alone tell which names were used again; only of those are the files looked at, so
 * that a million ended jobs cost no look each.
 *
 * @param open files of jobs that wait or run
 */
export async function lastEnds(
  store: Store,
  layout: Layout,
  open: readonly (readonly string[])[],
  ended: EndedFiles,
): Promise<EndedFiles> {
  const again = usedAgain([...open, ...Object.values(ended)]);
  if (again.size === 0) return ended;
  const pending = new Set(open.flat().map(jobName));
  const ends: JobPlace[] = ROOMS.flatMap((room) =>
    ended[room]
      .filter((file) => again.has(jobName(file)))
      .map((file) => ({ job: jobName(file), file, state: STATES[room], path: layout.ended(room, file) })),
  );
  const last = await onePlaceEach(
    store,
    ends.filter(({ job }) => !pending.has(job)),
  );
  const isLast = (room: EndRoom, file: string) => {
    const job = jobName(file);
    return !again.has(job) || last.get(job)?.path === layout.ended(room, file);
  };
  const { jobdone, jobfailed, jobcancelled } = ended;
  return {
    jobdone: jobdone.filter((file) => isLast("jobdone", file)),
    jobfailed: jobfailed.filter((file) => isLast("jobfailed", file)),
    jobcancelled: jobcancelled.filter((file) => isLast("jobcancelled", file)),
  };
}

/** Jobs that are met more than once. The longest listing is not remembered, only gone through. */
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
