import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { FjordError } from "../job/error.js";
import { quote } from "../job/quote.js";

/**
 * The number of a group, by its name or number.
 *
 * @throws FjordError `bad-usage` when there is none
 */
export function groupId(said: string): number {
  const entry = groupEntry(said);
  const gid = Number(entry?.split(":")[2] ?? Number.NaN);
  if (Number.isSafeInteger(gid) && gid >= 0) return gid;
  if (/^\d{1,9}$/.test(said)) return Number(said);
  throw new FjordError(
    "bad-usage",
    `--shared: there is no group ${quote(said)} on this host.`,
    "The command groups lists those that you are in.",
  );
}

/** The name of a group; its number where it has none. */
export function groupName(gid: number): string {
  return groupEntry(String(gid))?.split(":")[0] || String(gid);
}

/** Whether a user is in a group, as id(1) tells; not, when it knows nothing of the user. */
export function isMember(uid: number, gid: number): boolean {
  try {
    const groups = execFileSync("id", ["-G", String(uid)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return groups.trim().split(/\s+/).includes(String(gid));
  } catch {
    return false;
  }
}

/** As in `/etc/group`; getent(1) knows those of the network, too. */
function groupEntry(said: string): string | undefined {
  try {
    const found = execFileSync("getent", ["group", "--", said], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return found.split("\n", 1)[0];
  } catch {
    // no such group, or no getent
  }
  try {
    const lines = fs.readFileSync("/etc/group", "utf8").split("\n");
    return lines.find((line) => line.split(":")[0] === said || line.split(":")[2] === said);
  } catch {
    return undefined;
  }
}
