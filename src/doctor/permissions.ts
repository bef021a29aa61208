import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { errnoOf } from "../spool/errno.js";
import { isSystemError } from "../spool/store.js";
import type { Judgement } from "./finding.js";
import { lookAtOthers, type Others } from "./others.js";
import type { Site } from "./site.js";

const LISTED = 3;

export interface Permissions {
  /** Whether what this user makes is this user's. */
  readonly isOwn: boolean;
  /** Whether the x bits that were asked for are there. */
  readonly keepsMode: boolean;
  /** Why a script could not be run here. */
  readonly refused: string | undefined;
  readonly others?: Others;
}

/** Makes an executable script and runs it; looks what others may do. */
export async function tryPermissions({ scratch, store }: Site): Promise<Judgement> {
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
  const others = lookAtOthers(path.dirname(scratch));
  return judgePermissions({ isOwn, keepsMode: (mode & 0o100) !== 0, refused, others });
}

export function judgePermissions(permissions: Permissions): Judgement {
  const { isOwn, keepsMode, refused, others } = permissions;
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
  // Where no modes are kept they tell nothing.
  const told = others !== undefined && keepsMode ? judgeOthers(others) : undefined;
  if (told?.verdict === "warning" || told?.verdict === "bad") {
    found.push(told.found);
    means.push(told.means);
  }
  if (means.length > 0) {
    const verdict = told?.verdict === "bad" ? "bad" : "warning";
    return { verdict, found: found.join(", "), means: means.join("; "), measured: permissions };
  }
  return {
    verdict: "ok",
    found: `files can be made, made executable, and executed here${told === undefined ? "" : `, ${told.found}`}`,
    means: `job files and scripts can be jobs${told === undefined ? "" : `, and ${told.means}`}`,
    measured: permissions,
  };
}

/** Whoever can write in a project can have commands run as its workers' user. */
function judgeOthers(others: Others): Judgement | undefined {
  const { isProject, isShared, group, everybodyWrites, groupWrites, everybodyReads, foreign } = others;
  const { openAbove } = others;
  if (everybodyWrites.length > 0) {
    const found = `everybody can write here (${listed(everybodyWrites)})`;
    return isProject
      ? {
          verdict: "bad",
          found,
          means: "anybody can have commands run as the workers' user: chmod -R o-w it",
        }
      : { verdict: "warning", found, means: "anybody could put another project in a project's place" };
  }
  if (openAbove.length > 0) {
    const found = `everybody can rename this directory, or one above it (in ${listed(openAbove)})`;
    const means = "anybody could put another project in its place: chmod o-w there, or +t";
    return { verdict: isProject ? "bad" : "warning", found, means };
  }
  if (!isProject) return undefined;
  if (isShared) {
    const means = "its members can have commands run as whoever works here";
    return { verdict: "ok", found: `it is shared by the group ${group}`, means };
  }
  if (foreign.length > 0) {
    return {
      verdict: "warning",
      found: `another user has put something here (${listed(foreign)})`,
      means: "look into it before you work here",
    };
  }
  if (groupWrites.length > 0) {
    return {
      verdict: "warning",
      found: `members of the group ${group} can write here (${listed(groupWrites)})`,
      means:
        "they can have commands run as the workers' user: chmod -R go-w it, or share it (docs/security.md)",
    };
  }
  if (everybodyReads.length > 1) {
    return {
      verdict: "warning",
      found: "everybody can read what is in it",
      means: "job files and what jobs print are for all to see; chmod go= it for you alone",
    };
  }
  return { verdict: "ok", found: "nobody else can get in", means: "are yours alone" };
}

/** The first few. */
function listed(names: readonly string[]): string {
  const more = names.length - LISTED;
  return names.slice(0, LISTED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
