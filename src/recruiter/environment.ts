import fs from "node:fs";
import { ownUid } from "../project/trust.js";
import type { ForeignValues } from "./foreign-values.js";
import type { WorkerStart } from "./launcher.js";

/** Variables that Node and the dynamic loader need before the worker can read its file. They hold no secrets. */
const NEEDED_AT_START =
  /^(?:NODE_(?:OPTIONS|PATH|EXTRA_CA_CERTS|V8_COVERAGE)|LD_(?:LIBRARY_PATH|PRELOAD)|DYLD_\w+)$/;

/**
 * Writes a worker's environment to a file that no other user can read. The environment may hold tokens. On the command line of
 * tmux or screen, every user of the host could read the tokens until the server of tmux or screen ends.
 *
 * @returns the variables that must be on the command line, because the worker needs them at its start
 */
export function leaveEnvironment(
  file: string,
  environment: NodeJS.ProcessEnv,
  foreign: ForeignValues = new Map(),
): [string, string][] {
  const entries = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith("TMUX"),
  );
  const saved: SavedEnvironment = {
    variables: Object.fromEntries(entries),
    foreign: Object.fromEntries([...foreign].map(([name, bytes]) => [name, bytes.toString("base64")])),
  };
  fs.writeFileSync(file, JSON.stringify(saved), { mode: 0o600, flag: "wx" });
  return entries.filter(([name]) => NEEDED_AT_START.test(name));
}

/** Writes only the values that Node cannot pass to a process. This is for a launcher that passes all other values itself. */
export function leaveForeign({
  environmentFile,
  foreign,
}: Pick<WorkerStart, "environmentFile" | "foreign">): void {
  if (foreign.size > 0) leaveEnvironment(environmentFile, {}, foreign);
}

/** Content of the file. */
interface SavedEnvironment {
  readonly variables: Readonly<Record<string, string>>;
  /** Values that are not UTF-8, in base64. */
  readonly foreign: Readonly<Record<string, string>>;
}

/**
 * Reads and removes the file, and adds its variables to `environment`. The worker calls this. A file of another user is ignored.
 * There may be no file, because most launchers pass the environment themselves.
 *
 * @returns the values that `environment` cannot hold
 */
export function takeEnvironment(file: string, environment: NodeJS.ProcessEnv): ForeignValues {
  let fd: number;
  try {
    fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Map(); // the launcher has passed everything
    throw error;
  }
  try {
    fs.unlinkSync(file);
    const { uid, mode } = fs.fstatSync(fd);
    // A file system that maps users may show another owner. Apart from the owner, only root can open a file with this mode.
    if (uid !== ownUid() && (ownUid() === 0 || (mode & 0o077) !== 0)) return new Map();
    const { variables, foreign } = JSON.parse(fs.readFileSync(fd, "utf8")) as SavedEnvironment;
    Object.assign(environment, variables);
    return new Map(Object.entries(foreign).map(([name, text]) => [name, Buffer.from(text, "base64")]));
  } finally {
    fs.closeSync(fd);
  }
}
