import fs from "node:fs";
import type { Layout } from "./layout.js";

/**
 * Who may get at what lies in a project. The mode of its `jobqueue/` says it, which only the directory's owner can
 * change: whoever comes later, with whatever umask, makes files accordingly.
 *
 * `private`: its owner alone. `shared`: the group that the directory belongs to. `open`: a project that was made by hand
 * or before fjord kept others out: what is made there has the modes that the umask leaves, as ever.
 */
export type Access = "private" | "shared" | "open";

const SETGID = 0o2000;
const GROUP = 0o070;

/** @param mode of `jobqueue/` */
export function accessOf(mode: number): Access {
  if ((mode & 0o077) === 0) return "private";
  const isGroups = (mode & SETGID) !== 0 && (mode & GROUP) === GROUP;
  return isGroups && (mode & 0o007) === 0 ? "shared" : "open";
}

/** @throws ErrnoException */
function accessTo(layout: Layout): Access {
  return accessOf(fs.statSync(layout.jobqueue).mode);
}

/** The mode of a file that is made in a project past its store. @throws ErrnoException */
export function fileModeIn(layout: Layout): number {
  return modeIn(accessTo(layout), 0o666);
}

/** The mode that a file is made with, less the umask, which takes nothing that the owner or the group is to have. */
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

/** Of a directory that a project consists of. Those below inherit group and setgid bit of the one that they are in. */
export function directoryModeIn(access: Access): number {
  return modeIn(access, 0o777) | (access === "shared" ? SETGID : 0);
}

/** The bits that this process's umask takes from what is made, and that are to be set afterwards: only the group's. */
export function missingBits(access: Access): number {
  return access === "shared" ? process.umask() & GROUP : 0;
}
