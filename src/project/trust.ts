import fs from "node:fs";

/** This process's user, as files know him; undefined where files have no owners. */
export function ownUid(): number | undefined {
  return process.geteuid?.();
}

/**
 * Whether what a user has put into a project is as good as this process's own: its user, root, and the owner of the
 * project's directory, who may do there what he likes anyway.
 *
 * @param root the project's directory
 */
export function isTrusted(uid: number, root: string): boolean {
  const own = ownUid();
  if (own === undefined || uid === own || uid === 0) return true;
  return fs.statSync(root).uid === uid;
}
