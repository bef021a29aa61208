/** One in this number of started processes measures its coverage. */
const ONE_IN = 6;
let started = 0;

/**
 * The environment for a process that a test starts. Most processes measure no coverage, because it costs a command a fifth
 * of its time and a megabyte on the disk, and other processes run the same lines. The report may show too few lines as
 * covered, but never too many.
 */
export function sampleCoverage(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (process.env.NODE_V8_COVERAGE === undefined || started++ % ONE_IN === 0) return env;
  return withoutCoverage(env);
}

/** Sets the variable to undefined. Node passes its own value on to a child whose environment lacks the variable. */
export function withoutCoverage(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, NODE_V8_COVERAGE: undefined };
}
