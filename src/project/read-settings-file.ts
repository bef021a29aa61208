import fs from "node:fs";
import { FjordError } from "../job/error.js";
import { visible } from "../job/quote.js";
import type { Access } from "./access.js";
import { isMember } from "./group.js";
import type { Layout } from "./layout.js";
import { readSettings, type Settings } from "./settings.js";
import { isTrusted, ownUid } from "./trust.js";

/**
 * Reads the project's `settings.ini`. A file of a user whom this project does not trust is refused, because the file could allow
 * the jobs of any user.
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
        `${visible(file)} belongs to another user (uid ${uid}), whom this project does not trust.`,
        "Read the file. Then remove it, or replace it with a copy of your own (cp, mv).",
      );
    }
    const { jobOwners, ...said } = readSettings(file, fs.readFileSync(fd));
    // If this process is root, only root may decide whose jobs run.
    const counts = jobOwners !== undefined && (ownUid() !== 0 || (uid === 0 && (mode & 0o022) === 0));
    return counts ? { ...said, jobOwners } : said;
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Whether a member of the project's group made the file. If the file has this group, its maker is a member, because only members
 * can give a file to the group. A file with another group may also belong to a member.
 */
function isMembers(layout: Layout, uid: number, gid: number): boolean {
  const group = fs.statSync(layout.jobqueue).gid;
  return gid === group || isMember(uid, group);
}

/** Opens a file; undefined if there is none. Any other error is thrown, because all processes need the same settings. */
function openIfThere(file: string): number | undefined {
  try {
    return fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
