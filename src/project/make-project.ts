import crypto from "node:crypto";
import fs from "node:fs";
import { FjordError } from "../job/error.js";
import { visible } from "../job/quote.js";
import { shellQuote } from "../job/shell-words.js";
import { type Access, accessOf, directoryModeIn, modeIn } from "./access.js";
import { groupId, groupName } from "./group.js";
import type { Layout } from "./layout.js";
import { makeDirectory } from "./make-directory.js";
import { isTrusted } from "./trust.js";

/**
 * Makes the project's directories, those that are missing: a new project is its maker's alone, or a group's if one is
 * said, whatever the umask. One that is there stays as it is.
 *
 * @param shared the group that a new project is to be for
 * @throws FjordError `bad-project` when a directory is somebody else's symbolic link, or the project is there and not that
 * group's; ErrnoException
 */
export function makeProject(layout: Layout, shared?: string): Access {
  const gid = shared === undefined ? undefined : groupId(shared);
  const queue = fs.statSync(layout.jobqueue, { throwIfNoEntry: false });
  if (queue === undefined) return makeNew(layout, gid);
  const access = accessOf(queue.mode);
  if (gid !== undefined && (access !== "shared" || queue.gid !== gid)) throw notShared(layout, shared ?? "");
  for (const dir of layout.directories()) assureDirectory(layout, dir, access);
  return access;
}

function makeNew(layout: Layout, gid: number | undefined): Access {
  if (gid !== undefined) return makeShared(layout, gid);
  makeDirectory(layout.root, directoryModeIn("private"));
  for (const dir of layout.directories()) assureDirectory(layout, dir, "private");
  return "private";
}

/** The queue comes last: who sees it sees the project as it is to be. */
function makeShared(layout: Layout, gid: number): Access {
  const before = fs.statSync(layout.root, { throwIfNoEntry: false });
  makeDirectory(layout.root, directoryModeIn("private"));
  const queue = layout.newQueue(crypto.randomUUID());
  fs.mkdirSync(queue, { mode: 0o700 });
  try {
    giveTo(queue, gid);
    // A directory that was there may hold other things, which others go on to read.
    giveTo(layout.root, gid, before?.mode);
  } catch (error) {
    fs.rmdirSync(queue);
    if (before === undefined) removeEmpty(layout.root);
    throw error;
  }
  for (const dir of layout.directories()) {
    if (dir === layout.jobqueue) continue;
    assureDirectory(layout, dir, "private");
    giveTo(dir, gid);
  }
  try {
    fs.renameSync(queue, layout.jobqueue);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
    fs.rmdirSync(queue); // another has made it at the same time, and uses it already
  }
  return accessOf(fs.statSync(layout.jobqueue).mode);
}

function removeEmpty(directory: string): void {
  try {
    fs.rmdirSync(directory);
  } catch {
    // another is making a project there
  }
}

/** To a group, and to nobody else but whom `mode` lets in already. */
function giveTo(directory: string, gid: number, mode = 0): void {
  try {
    fs.chownSync(directory, fs.statSync(directory).uid, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error;
    const group = groupName(gid);
    throw new FjordError(
      "bad-project",
      `${visible(directory)} cannot be given to the group ${group}.`,
      `You have to be a member of it, and the directory your own.`,
      { cause: error },
    );
  }
  fs.chmodSync(directory, (mode & 0o7777) | directoryModeIn("shared"));
}

function assureDirectory(layout: Layout, dir: string, access: Access): void {
  try {
    fs.mkdirSync(dir, { mode: modeIn(access, 0o777) });
    if (access === "shared") fs.chmodSync(dir, directoryModeIn(access));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const there = fs.lstatSync(dir);
    if (there.isSymbolicLink() && !isTrusted(there.uid, layout.root)) throw foreignLink(dir, there.uid);
    if (!fs.statSync(dir).isDirectory()) throw error;
  }
}

function foreignLink(dir: string, uid: number): FjordError {
  return new FjordError(
    "bad-project",
    `${visible(dir)} is a symbolic link that another user (uid ${uid}) has put there.`,
    "fjord does not follow it. Remove it if you do not know it; docs/security.md tells more.",
  );
}

function notShared({ root }: Layout, shared: string): FjordError {
  const dir = shellQuote(root);
  return new FjordError(
    "bad-project",
    `${visible(root)} is a project already, and not one of the group ${shared}.`,
    `To make it one, when nobody works there: chgrp -R ${shellQuote(shared)} ${dir} && chmod -R u=rwX,g=u,o= ${dir} && ` +
      `find ${dir} -type d -exec chmod g+s {} +`,
  );
}
