import type { Project } from "../compose/project.js";
import { patternsOf } from "../compose/select.js";
import { FjordError } from "../job/error.js";
import type { JobPlace } from "../report/jobs.js";

/**
 * The jobs that a verb is to act on.
 *
 * @param done what it does with them, as `cancelled`
 * @throws FjordError as `Project.jobs` does; of several it says that nothing was done to the others, too
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
