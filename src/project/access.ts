import fs from "node:fs";
import type { Layout } from "./layout.js";

/**
 * Users who may use the files of a project. The mode of `jobqueue/` records the access, and only the owner of that directory can
 * change the mode. Every process creates files with this access, even if its umask differs.
 *
 * `private`: only the owner. `shared`: the group of the directory. `open`: the umask decides. A project is open if a person made
 * its directories, or an old version of fjord.
 */
export type Access = "private" | "shared" | "open";

const SETGID = 0o2000;
const GROUP = 0o070;

/** @param mode mode of `jobqueue/` */
export function accessOf(mode: number): Access {
  if ((mode & 0o077) === 0) return "private";
  const isGroups = (mode & SETGID) !== 0 && (mode & GROUP) === GROUP;
  return isGroups && (mode & 0o007) === 0 ? "shared" : "open";
}

/** @throws ErrnoException */
function accessTo(layout: Layout): Access {
  return accessOf(fs.statSync(layout.jobqueue).mode);
}

/** Mode for a file that a process creates in a project without the store. @throws ErrnoException */
export function fileModeIn(layout: Layout): number {
  return modeIn(accessTo(layout), 0o666);
}

/** Mode for a new file, before the umask. */
export function modeIn(access: Access, wanted: number): number {
  const own = wanted & 0o700;
  switch (access) {
    case "private":
      return own;
    case "shared":
      return own | (own >> 3);
    case "open":
      return wanted;
    default: {
      const unknown: never = access;
      throw new Error(`unknown access: ${unknown}`);
    }
  }
}

/** Mode for a directory of a project. Directories below it inherit its group and its setgid bit. */
export function directoryModeIn(access: Access): number {
  return modeIn(access, 0o777) | (access === "shared" ? SETGID : 0);
}

/** Bits that the umask removes from new files although the group needs them. The store sets these bits afterwards. */
export function missingBits(access: Access): number {
  return access === "shared" ? process.umask() & GROUP : 0;
}
