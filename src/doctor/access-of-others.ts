import fs from "node:fs";
import path from "node:path";
import { accessOf } from "../project/access.js";
import { groupName } from "../project/group.js";
import { Layout } from "../project/layout.js";
import { ownUid } from "../project/trust.js";

/** Access of other users to a directory, which may be a project. */
export interface AccessOfOthers {
  readonly isProject: boolean;
  /** Whether the project was made for a group. */
  readonly isShared: boolean;
  readonly group: string;
  /** Files and directories that everybody may write. `.` is the directory itself. */
  readonly everybodyWrites: readonly string[];
  /** Files and directories that the members of the group may write. */
  readonly groupWrites: readonly string[];
  /** Directories above this one in which everybody may rename the files of other users. */
  readonly openAbove: readonly string[];
  /** Files and directories that everybody may read. */
  readonly everybodyReads: readonly string[];
  /** Files and directories of users other than this user, root and the directory's owner. */
  readonly foreign: readonly string[];
}

const STICKY = 0o1000;
const EVERYBODY = { read: 0o005, write: 0o002 };
const GROUP = { read: 0o050, write: 0o020 };

/** Reads the modes and owners of the directory, and of the files and directories of a project in it. */
export function readAccessOfOthers(directory: string): AccessOfOthers {
  const layout = new Layout(directory);
  const root = fs.statSync(directory);
  const inside = [...layout.directories(), layout.settings, layout.dispatcherFile];
  const existing = inside.flatMap((path) => {
    const stat = fs.statSync(path, { throwIfNoEntry: false });
    const link = fs.lstatSync(path, { throwIfNoEntry: false });
    return stat === undefined || link === undefined ? [] : [{ path, stat, link }];
  });
  const queue = existing.find(({ path }) => path === layout.jobqueue)?.stat;
  const all = [{ path: directory, stat: root, link: root }, ...existing];
  const namesOf = (isWanted: (entry: (typeof all)[number]) => boolean) =>
    all.filter(isWanted).map(({ path }) => (path === directory ? "." : path.slice(layout.root.length + 1)));
  // Users who cannot enter the root cannot reach the files below it.
  const reach = (may: typeof EVERYBODY, bit: number) =>
    namesOf(({ path, stat }) => {
      if (path !== directory && (root.mode & may.read & 0o111) === 0) return false;
      const needed = bit === may.read && !stat.isDirectory() ? bit & 0o444 : bit;
      return (stat.mode & needed) === needed && !(bit === may.write && (stat.mode & STICKY) !== 0);
    });
  return {
    isProject: queue !== undefined,
    isShared: queue !== undefined && accessOf(queue.mode) === "shared",
    group: groupName((queue ?? root).gid),
    everybodyWrites: reach(EVERYBODY, EVERYBODY.write),
    groupWrites: reach(GROUP, GROUP.write),
    openAbove: parentsOf(fs.realpathSync(directory)).filter((path) => isOpen(fs.statSync(path).mode)),
    everybodyReads: reach(EVERYBODY, EVERYBODY.read),
    foreign: namesOf(({ link }) => ![ownUid(), 0, root.uid].includes(link.uid)),
  };
}

function parentsOf(directory: string): string[] {
  const parent = path.dirname(directory);
  return parent === directory ? [] : [parent, ...parentsOf(parent)];
}

function isOpen(mode: number): boolean {
  return (mode & EVERYBODY.write) !== 0 && (mode & STICKY) === 0;
}
