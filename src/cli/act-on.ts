import { FjordError } from "../job/error.js";
import type { JobPlace } from "../jobs/places.js";
import { patternsOf } from "../jobs/selection.js";
import type { Project } from "../library/project.js";

/**
 * Finds the jobs on which a verb acts.
 *
 * @param done participle of the verb, such as `cancelled`
 * @throws FjordError as `Project.jobs` does. If several jobs were named, the message adds that nothing was done to any of them.
 */
export async function jobsToActOn(
  project: Project,
  words: readonly string[],
  done: string,
): Promise<JobPlace[]> {
  try {
    return await project.jobs(words);
  } catch (error) {
    if (!(error instanceof FjordError) || words.flatMap(patternsOf).length === 1) throw error;
    const message = `${error.message} Nothing was ${done}.`;
    throw new FjordError(error.code, message, error.hint, { cause: error.cause });
  }
}
