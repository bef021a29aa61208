/** Of so many processes that tests start one tells which lines it ran. */
const ONE_IN = 6;
let started = 0;

/**
 * The environment for a process that a test starts, the coverage of some left out: to tell it costs a command a fifth of
 * its time and a megabyte on the disk, and others run the same lines. What is reported
 * is the less for it, never the more.
 */
export function sampleCoverage(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (process.env.NODE_V8_COVERAGE === undefined || started++ % ONE_IN === 0) return env;
  return withoutCoverage(env);
}

/** Said to be none: Node hands its own on to whom nothing was said. */
export function withoutCoverage(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, NODE_V8_COVERAGE: undefined };
}
