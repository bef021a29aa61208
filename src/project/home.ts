import os from "node:os";
import path from "node:path";
import { FjordError } from "../job/error.js";

/**
 * Home directory of the user. If `$HOME` is empty or not absolute, the system's list of users decides, because an empty home
 * would put projects into the current directory.
 *
 * @throws FjordError `bad-project` if the list has no home either
 */
export function homeDirectory(): string {
  const home = os.homedir();
  if (path.isAbsolute(home)) return home;
  const listed = listedHome();
  if (path.isAbsolute(listed)) return listed;
  throw new FjordError(
    "bad-project",
    "This user has no home directory: HOME is empty or not an absolute path.",
    "Set HOME to an absolute path.",
  );
}

function listedHome(): string {
  try {
    return os.userInfo().homedir;
  } catch {
    return ""; // this user id has no account
  }
}
