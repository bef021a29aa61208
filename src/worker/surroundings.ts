import type { Job } from "../job/job.js";
import { SH } from "../job/shell.js";
import { resolvePath } from "../job/written-path.js";
import { homeDirectory } from "../project/home.js";
import { canEnter, cannotEnter, isGone, problemOfShell } from "./command.js";
import { ResultFile } from "./result-file.js";

/** Exit code of a job whose directory cannot be entered. Shells use it for commands that they cannot run (POSIX 2.8.2). */
const CANNOT_ENTER = 126;
/** Exit code of a job whose logfile fjord cannot create: EX_CANTCREAT of sysexits(3). */
const CANNOT_CREATE = 73;

/** Directory, logfile and shell that a job asks for. Paths are absolute. */
export interface Surroundings {
  readonly kind: "ready";
  readonly directory: string;
  readonly logfile: string | undefined;
  /** Undefined when the runner itself runs the command line, or when the job is a script. */
  readonly shell: string | undefined;
  readonly result: ResultFile | undefined;
}

/** A job that cannot run here. */
export interface Unfit {
  readonly kind: "unfit";
  readonly message: string;
  /** Exit code of the attempt. */
  readonly status: number;
}

/**
 * Checks what the job needs on this host, and makes the directory of its logfile.
 *
 * @param home directory of the worker, where the job's relative paths start
 * @param standard shell of the project
 */
export function surroundingsOf(job: Job, home: string, standard: string): Surroundings | Unfit {
  let directory = home;
  let logfile: string | undefined;
  try {
    ({ directory, logfile } = pathsOf(job, home));
  } catch (error) {
    return unfit(error, CANNOT_ENTER); // the path starts with ~, and this user has no home directory
  }
  // This check comes before the logfile's directory is made, which could make a mistyped workdir.
  if (job.workdir === undefined ? isGone(directory) : !canEnter(directory)) {
    return { kind: "unfit", message: cannotEnter(directory), status: CANNOT_ENTER };
  }
  const shell = shellOf(job, standard);
  const noShell = shell && problemOfShell(shell);
  if (noShell) return { kind: "unfit", ...noShell };
  try {
    const result = logfile === undefined ? undefined : ResultFile.prepare(logfile);
    return { kind: "ready", directory, logfile, shell, result };
  } catch (error) {
    return unfit(error, CANNOT_CREATE);
  }
}

/** @throws FjordError when a path starts with ~, and this user has no home directory */
function pathsOf({ workdir, logfile }: Job, home: string): Pick<Surroundings, "directory" | "logfile"> {
  const directory = workdir === undefined ? home : resolvePath(home, workdir, homeDirectory);
  return {
    directory,
    logfile: logfile === undefined ? undefined : resolvePath(directory, logfile, homeDirectory),
  };
}

/** Absolute path of the job's logfile; undefined if the job has none, or if the path cannot be resolved. */
export function logfileOf(job: Job, home: string): string | undefined {
  try {
    return pathsOf(job, home).logfile;
  } catch {
    return undefined; // the path starts with ~, and this user has no home directory
  }
}

function shellOf({ kind, shell }: Job, standard: string): string | undefined {
  const chosen = shell ?? standard;
  return kind === "script" || chosen === SH ? undefined : chosen;
}

function unfit(error: unknown, status: number): Unfit {
  return { kind: "unfit", message: error instanceof Error ? error.message : String(error), status };
}
