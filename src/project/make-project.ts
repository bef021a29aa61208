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
import { refuseUnlessUtf8 } from "./utf8-path.js";

/**
 * Makes the missing directories of a project. A new project is private, or shared with a group, even if the umask would give
 * other modes. An existing project keeps its access.
 *
 * @param shared group for a new project
 * @throws FjordError `bad-project` if the path is not UTF-8, if a directory is a symbolic link of another user, or if the
 * project exists and is not shared with that group; ErrnoException
 */
export function makeProject(layout: Layout, shared?: string): Access {
  refuseUnlessUtf8("The project's directory", layout.root);
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

/** Makes a shared project. The queue comes last, so a process that finds the queue finds a complete project. */
function makeShared(layout: Layout, gid: number): Access {
  const before = fs.statSync(layout.root, { throwIfNoEntry: false });
  makeDirectory(layout.root, directoryModeIn("private"));
  const queue = layout.newQueue(crypto.randomUUID());
  fs.mkdirSync(queue, { mode: 0o700 });
  try {
    giveTo(queue, gid);
    // An existing directory keeps its mode bits for other users, because they may read other files in it.
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
    fs.rmdirSync(queue); // another process made it at the same time and uses it
  }
  return accessOf(fs.statSync(layout.jobqueue).mode);
}

function removeEmpty(directory: string): void {
  try {
    fs.rmdirSync(directory);
  } catch {
    // another process is making a project there
  }
}

/** Gives a directory to a group. All other users have the access that `mode` gives them. */
function giveTo(directory: string, gid: number, mode = 0): void {
  try {
    fs.chownSync(directory, fs.statSync(directory).uid, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error;
    const group = groupName(gid);
    throw new FjordError(
      "bad-project",
      `${visible(directory)} cannot be given to the group ${group}.`,
      "Become a member of this group, and use a directory that you own.",
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
    `${visible(dir)} is a symbolic link of another user (uid ${uid}).`,
    "fjord does not follow this link. Remove the link if you did not make it (docs/security.md).",
  );
}

function notShared({ root }: Layout, shared: string): FjordError {
  const dir = shellQuote(root);
  return new FjordError(
    "bad-project",
    `${visible(root)} is a project already, but it is not shared with the group ${shared}.`,
    `To share it, run this while nobody works there: chgrp -R ${shellQuote(shared)} ${dir} && chmod -R u=rwX,g=u,o= ${dir} && ` +
      `find ${dir} -type d -exec chmod g+s {} +`,
  );
}
