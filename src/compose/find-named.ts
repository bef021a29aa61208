import { elementOf } from "../job/element.js";
import { isIgnored } from "../job/name.js";
import type { Layout } from "../project/layout.js";
import { placesOf } from "../report/arrays.js";
import { findOnDesks, JOB_STATES, type JobPlace, type JobState } from "../report/jobs.js";
import { readArray } from "../spool/array-parts.js";
import { factsIfThere } from "../spool/file-facts.js";
import type { Store } from "../spool/store.js";

/** The longest name of a file, bytes (NAME_MAX): of a longer one none can be asked for. */
const LONGEST = 255;

/**
 * What `findJobs` finds, as far as it tells where these jobs are: the jobs of these names, and of the arrays that they would
 * be elements of what is no job yet. Each name is asked for by itself, so that it does not matter how many other jobs there
 * are. Only the desks are listed.
 */
export async function findNamed(
  store: Store,
  layout: Layout,
  names: ReadonlySet<string>,
): Promise<JobPlace[]> {
  const found: JobPlace[] = [];
  const states = new Set(JOB_STATES);
  const arrays = new Set([...names].flatMap((name) => elementOf(name)?.array ?? []));
  for (const array of arrays) {
    const view = filesOf(array).length === 0 ? undefined : await readArray(store, layout, array);
    if (view !== undefined) found.push(...placesOf(layout, view, states));
  }
  const asked = [...new Set([...names, ...arrays])];
  const room = async (state: JobState, pathOf: (file: string) => string) => {
    const places = asked.flatMap((job) =>
      filesOf(job).map(async (file) => {
        const path = pathOf(file);
        return (await factsIfThere(store, path)) === undefined ? [] : [{ job, file, state, path }];
      }),
    );
    found.push(...(await Promise.all(places)).flat());
  };
  // With the stream, as findJobs goes: who is moved on meanwhile is rather met twice than missed.
  await room("waiting", (file) => layout.queued(file));
  await room("held", (file) => layout.held(file));
  found.push(...(await findOnDesks(store, layout)));
  await room("retrying", (file) => layout.toRetry(file));
  await room("done", (file) => layout.ended("jobdone", file));
  await room("failed", (file) => layout.ended("jobfailed", file));
  await room("cancelled", (file) => layout.ended("jobcancelled", file));
  return found;
}

/** What the file of a job of this name may be called: a job file, or a script. */
function filesOf(job: string): string[] {
  const files = job.endsWith(".ini") ? [`${job}.ini`] : [`${job}.ini`, job];
  return files.filter(
    (file) => job !== "" && !isIgnored(file) && !/[/\0]/.test(file) && Buffer.byteLength(file) <= LONGEST,
  );
}
