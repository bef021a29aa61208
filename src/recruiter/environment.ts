import fs from "node:fs";
import { ownUid } from "../project/trust.js";

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

/** The worker's side: takes what its own user has left for it, if he has. */
export function takeEnvironment(file: string, environment: NodeJS.ProcessEnv): void {
  let fd: number;
  try {
    fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return; // it has it already
    throw error;
  }
  try {
    fs.unlinkSync(file);
    const { uid, mode } = fs.fstatSync(fd);
    // A store that maps users may show another's; but what is closed to all others nobody else could open, save root.
    if (uid !== ownUid() && (ownUid() === 0 || (mode & 0o077) !== 0)) return;
    Object.assign(environment, JSON.parse(fs.readFileSync(fd, "utf8")));
  } finally {
    fs.closeSync(fd);
  }
}
