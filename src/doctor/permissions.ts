import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { isSystemError } from "../spool/store.js";
import type { Judgement } from "./finding.js";
import type { Site } from "./site.js";

export interface Permissions {
  /** Whether what this user makes is this user's. */
  readonly isOwn: boolean;
  /** Whether the x bits that were asked for are there. */
  readonly keepsMode: boolean;
  /** Why a script could not be run here. */
  readonly refused: string | undefined;
}

/** Makes an executable script and runs it. */
export async function tryPermissions({ scratch, store }: Site): Promise<Judgement> {
  const script = path.join(scratch, "script.sh");
  await store.create(script, "#!/bin/sh\nexit 0\n", false, 0o755);
  const { uid, mode } = fs.statSync(script);
  let refused: string | undefined;
  try {
    await promisify(execFile)(script);
  } catch (error) {
    refused = isSystemError(error) ? error.code : (error as Error).message;
  }
  const isOwn = process.getuid === undefined || uid === process.getuid();
  return judgePermissions({ isOwn, keepsMode: (mode & 0o100) !== 0, refused });
}

export function judgePermissions(permissions: Permissions): Judgement {
  const { isOwn, keepsMode, refused } = permissions;
  const found: string[] = ["files can be made here"];
  const means: string[] = [];
  if (!keepsMode) {
    found.push("none can be made executable");
    means.push("scripts are refused as jobs; job files (.ini) work");
  } else if (refused !== undefined) {
    found.push(`none can be executed (${refused}; mounted with noexec?)`);
    means.push("scripts that are jobs fail; job files (.ini) that name a command work");
  }
  if (!isOwn) {
    found.push("they belong to another user");
    means.push(
      "who still writes a file that was dropped in cannot be seen: it counts when it has not changed for a while",
    );
  }
  if (means.length > 0) {
    return { verdict: "warning", found: found.join(", "), means: means.join("; "), measured: permissions };
  }
  return {
    verdict: "ok",
    found: "files can be made, made executable, and executed here",
    means: "job files and scripts can be jobs",
    measured: permissions,
  };
}
