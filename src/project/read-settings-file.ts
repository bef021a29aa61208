import fs from "node:fs";
import { FjordError } from "../job/error.js";
import { visible } from "../job/quote.js";
import type { Access } from "./access.js";
import { isMember } from "./group.js";
import type { Layout } from "./layout.js";
import { readSettings, type Settings } from "./settings.js";
import { isTrusted, ownUid } from "./trust.js";

/**
 * What the project's `settings.ini` says; nothing where there is none. One that somebody has put there who has no say in the
 * project is refused: it could let anybody's jobs be run.
 *
 * @throws FjordError `bad-settings`; ErrnoException
 */
export function readSettingsFile(layout: Layout, access: Access): Partial<Settings> {
  const file = layout.settings;
  const fd = openIfThere(file);
  if (fd === undefined) return {};
  try {
    const { uid, gid, mode } = fs.fstatSync(fd);
    if (!isTrusted(uid, layout.root) && !(access === "shared" && isMembers(layout, uid, gid))) {
      throw new FjordError(
        "bad-settings",
        `${visible(file)} belongs to another user (uid ${uid}), who has no say in this project.`,
        "Look into it; then remove it, or make it yours: cp it, and mv the copy there.",
      );
    }
    const { jobOwners, ...said } = readSettings(file, fs.readFileSync(fd));
    // What root runs nobody but root has to say.
    const counts = jobOwners !== undefined && (ownUid() !== 0 || (uid === 0 && (mode & 0o022) === 0));
    return counts ? { ...said, jobOwners } : said;
  } finally {
    fs.closeSync(fd);
  }
}

/** In a shared project: only members can make a file of its group, and who is one may have made it elsewhere. */
function isMembers(layout: Layout, uid: number, gid: number): boolean {
  const group = fs.statSync(layout.jobqueue).gid;
  return gid === group || isMember(uid, group);
}

/** Undefined: there is none. That it cannot be read is another thing: all of a project go by the same settings. */
function openIfThere(file: string): number | undefined {
  try {
    return fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
