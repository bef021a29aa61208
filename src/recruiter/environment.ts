import fs from "node:fs";

/** Needed before a worker can read anything, and no secrets. */
const AT_ONCE = /^(?:NODE_(?:OPTIONS|PATH|EXTRA_CA_CERTS|V8_COVERAGE)|LD_(?:LIBRARY_PATH|PRELOAD)|DYLD_\w+)$/;

/**
 * Leaves a worker its environment in a file that nobody else can read. Not on a command line: the tokens in it would be there
 * for everybody on the host to see, for as long as the session's server runs.
 *
 * @returns what has to be on the command line all the same
 */
export function leaveEnvironment(file: string, environment: NodeJS.ProcessEnv): [string, string][] {
  const entries = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith("TMUX"),
  );
  fs.writeFileSync(file, JSON.stringify(Object.fromEntries(entries)), { mode: 0o600, flag: "wx" });
  return entries.filter(([name]) => AT_ONCE.test(name));
}

/** The worker's side: takes what was left for it, if anything was. */
export function takeEnvironment(file: string, environment: NodeJS.ProcessEnv): void {
  let text: string;
  try {
    text = fs.readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return; // it has it already
    throw error;
  }
  fs.unlinkSync(file);
  Object.assign(environment, JSON.parse(text));
}
