import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { errnoOf } from "../store/errno.js";
import { isSystemError } from "../store/store.js";
import { type AccessOfOthers, readAccessOfOthers } from "./access-of-others.js";
import type { Judgement } from "./finding.js";
import type { TestContext } from "./test-context.js";

/** Number of names in a message. */
const LISTED = 3;

export interface Permissions {
  /** Whether a new file belongs to this user. */
  readonly isOwn: boolean;
  /** Whether the x bits of a new file are kept. */
  readonly keepsMode: boolean;
  /** Reason why a script did not run; undefined when it ran. */
  readonly refused: string | undefined;
  readonly others?: AccessOfOthers;
}

/** Creates and runs a script, and reads the access of other users. */
export async function testPermissions({ scratch, store }: TestContext): Promise<Judgement> {
  const script = path.join(scratch, "script.sh");
  await store.create(script, "#!/bin/sh\nexit 0\n", false, 0o755);
  const { uid, mode } = fs.statSync(script);
  let refused: string | undefined;
  try {
    await promisify(execFile)(script);
  } catch (error) {
    refused = isSystemError(error) ? errnoOf(error) : (error as Error).message;
  }
  const isOwn = process.getuid === undefined || uid === process.getuid();
  const others = readAccessOfOthers(path.dirname(scratch));
  return judgePermissions({ isOwn, keepsMode: (mode & 0o100) !== 0, refused, others });
}

export function judgePermissions(permissions: Permissions): Judgement {
  const { isOwn, keepsMode, refused, others } = permissions;
  const found: string[] = ["files can be created here"];
  const means: string[] = [];
  if (!keepsMode) {
    found.push("but they cannot be made executable");
    means.push("fjord refuses scripts as jobs, but job files (.ini) work");
  } else if (refused !== undefined) {
    found.push(`but they cannot be executed (${refused}, perhaps because of the mount option noexec)`);
    means.push("scripts fail as jobs, but job files (.ini) that name a command work");
  }
  if (!isOwn) {
    found.push("and new files belong to another user");
    means.push(
      "fjord cannot see whether a job file is still being written, so it waits until the file has not changed for a while",
    );
  }
  // Modes mean nothing on a file system that does not keep them.
  const access = others !== undefined && keepsMode ? judgeOthers(others) : undefined;
  if (access?.verdict === "warning" || access?.verdict === "bad") {
    found.push(`and ${access.found}`);
    means.push(access.means);
  }
  if (means.length > 0) {
    const verdict = access?.verdict === "bad" ? "bad" : "warning";
    return { verdict, found: found.join(", "), means: means.join("; "), measured: permissions };
  }
  return {
    verdict: "ok",
    found: `files can be created, made executable and executed here${access === undefined ? "" : `, and ${access.found}`}`,
    means: `job files and scripts can be jobs${access === undefined ? "" : `, and ${access.means}`}`,
    measured: permissions,
  };
}

/** Judges the access of other users. Everybody who can write in a project can run commands as the user of its workers. */
function judgeOthers(others: AccessOfOthers): Judgement | undefined {
  const { isProject, isShared, group, everybodyWrites, groupWrites, everybodyReads, foreign } = others;
  const { openAbove } = others;
  if (everybodyWrites.length > 0) {
    const found = `everybody can write here (${listed(everybodyWrites)})`;
    return isProject
      ? {
          verdict: "bad",
          found,
          means: "anybody can run commands as the workers' user. Run chmod -R o-w on the directory",
        }
      : { verdict: "warning", found, means: "anybody could replace a project that is made here" };
  }
  if (openAbove.length > 0) {
    const found = `everybody can rename this directory or a directory above it (in ${listed(openAbove)})`;
    const means = "anybody could replace the directory with another project. Run chmod o-w or chmod +t there";
    return { verdict: isProject ? "bad" : "warning", found, means };
  }
  if (!isProject) return undefined;
  if (isShared) {
    const means = "members of the group can run commands as each user who has workers here";
    return { verdict: "ok", found: `the project is shared by the group ${group}`, means };
  }
  if (foreign.length > 0) {
    return {
      verdict: "warning",
      found: `another user owns files here (${listed(foreign)})`,
      means: "check these files before you work here",
    };
  }
  if (groupWrites.length > 0) {
    return {
      verdict: "warning",
      found: `members of the group ${group} can write here (${listed(groupWrites)})`,
      means:
        "these members can run commands as the workers' user. Run chmod -R go-w on the directory, or share the project (docs/security.md)",
    };
  }
  if (everybodyReads.length > 1) {
    return {
      verdict: "warning",
      found: "everybody can read the files here",
      means: "all users can see job files and the output of jobs. Run chmod go= on the directory to close it",
    };
  }
  return { verdict: "ok", found: "no other user has access", means: "only you can submit and see jobs" };
}

/** Writes the first few names, and the number of the others. */
function listed(names: readonly string[]): string {
  const more = names.length - LISTED;
  return names.slice(0, LISTED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
