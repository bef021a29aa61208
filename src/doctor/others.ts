import fs from "node:fs";
import path from "node:path";
import { accessOf } from "../project/access.js";
import { groupName } from "../project/group.js";
import { Layout } from "../project/layout.js";
import { ownUid } from "../project/trust.js";

/** What others than its owner may do in a directory, project or not. */
export interface Others {
  readonly isProject: boolean;
  /** It was made for a group. */
  readonly isShared: boolean;
  readonly group: string;
  /** Names of what everybody may write, or the group's members; `.` is the directory itself. */
  readonly everybodyWrites: readonly string[];
  readonly groupWrites: readonly string[];
  /** The directories above in which everybody may rename what is not theirs. */
  readonly openAbove: readonly string[];
  /** What everybody may read. */
  readonly everybodyReads: readonly string[];
  /** What belongs to a user who is neither this one nor root, nor has the whole directory. */
  readonly foreign: readonly string[];
}

const STICKY = 0o1000;
const EVERYBODY = { read: 0o005, write: 0o002 };
const GROUP = { read: 0o050, write: 0o020 };

/** Looks at the modes and owners of the directory and of what a project in it consists of. */
export function lookAtOthers(directory: string): Others {
  const layout = new Layout(directory);
  const root = fs.statSync(directory);
  const inside = [...layout.directories(), layout.settings, layout.dispatcherFile];
  const there = inside.flatMap((path) => {
    const stat = fs.statSync(path, { throwIfNoEntry: false });
    const link = fs.lstatSync(path, { throwIfNoEntry: false });
    return stat === undefined || link === undefined ? [] : [{ path, stat, link }];
  });
  const queue = there.find(({ path }) => path === layout.jobqueue)?.stat;
  const all = [{ path: directory, stat: root, link: root }, ...there];
  const named = (isMeant: (one: (typeof all)[number]) => boolean) =>
    all.filter(isMeant).map(({ path }) => (path === directory ? "." : path.slice(layout.root.length + 1)));
  // Through a directory that is closed to them they come to nothing in it.
  const who = (may: typeof EVERYBODY, bit: number) =>
    named(({ path, stat }) => {
      if (path !== directory && (root.mode & may.read & 0o111) === 0) return false;
      const needed = bit === may.read && !stat.isDirectory() ? bit & 0o444 : bit;
      return (stat.mode & needed) === needed && !(bit === may.write && (stat.mode & STICKY) !== 0);
    });
  return {
    isProject: queue !== undefined,
    isShared: queue !== undefined && accessOf(queue.mode) === "shared",
    group: groupName((queue ?? root).gid),
    everybodyWrites: who(EVERYBODY, EVERYBODY.write),
    groupWrites: who(GROUP, GROUP.write),
    openAbove: parentsOf(fs.realpathSync(directory)).filter((path) => isOpen(fs.statSync(path).mode)),
    everybodyReads: who(EVERYBODY, EVERYBODY.read),
    foreign: named(({ link }) => ![ownUid(), 0, root.uid].includes(link.uid)),
  };
}

function parentsOf(directory: string): string[] {
  const parent = path.dirname(directory);
  return parent === directory ? [] : [parent, ...parentsOf(parent)];
}

function isOpen(mode: number): boolean {
  return (mode & EVERYBODY.write) !== 0 && (mode & STICKY) === 0;
}
