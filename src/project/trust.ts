import fs from "node:fs";

/** Id of the user of this process; undefined on systems where files have no owners. */
export function ownUid(): number | undefined {
  return process.geteuid?.();
}

/**
 * Whether this process trusts the files of a user in a project. The process trusts its own user, root, and the owner of the
 * project's directory, because the owner can change every file there anyway.
 *
 * @param root directory of the project
 */
export function isTrusted(uid: number, root: string): boolean {
  const own = ownUid();
  if (own === undefined || uid === own || uid === 0) return true;
  return fs.statSync(root).uid === uid;
}
