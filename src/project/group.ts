import fs from "node:fs";
import { FjordError } from "../job/error.js";
import { quote } from "../job/quote.js";

/**
 * Number of a group.
 *
 * @param named name or number of the group
 * @throws FjordError `bad-usage` if there is no such group
 */
export function groupId(named: string): number {
  const entry = groupEntry(named);
  const gid = Number(entry?.split(":")[2] ?? Number.NaN);
  if (Number.isSafeInteger(gid) && gid >= 0) return gid;
  if (/^\d{1,9}$/.test(named)) return Number(named);
  throw new FjordError(
    "bad-usage",
    `--shared: there is no group ${quote(named)} on this host.`,
    "The command groups lists your groups.",
  );
}

/** Name of a group, or its number if it has no name. */
export function groupName(gid: number): string {
  return groupEntry(String(gid))?.split(":")[0] || String(gid);
}

/** Whether a user is a member of a group, according to id(1). */
export function isMember(uid: number, gid: number): boolean {
  try {
    const groups = outputOf("id", ["-G", String(uid)]);
    return groups.trim().split(/\s+/).includes(String(gid));
  } catch {
    return false;
  }
}

/** Line of a group in the format of group(5). getent(1) also knows the groups of the network. */
function groupEntry(named: string): string | undefined {
  try {
    return outputOf("getent", ["group", "--", named]).split("\n", 1)[0];
  } catch {
    // there is no such group, or no getent
  }
  try {
    const lines = fs.readFileSync("/etc/group", "utf8").split("\n");
    return lines.find((line) => line.split(":")[0] === named || line.split(":")[2] === named);
  } catch {
    return undefined;
  }
}

/** Output of a program. Its module is loaded only here, because few commands need it. */
function outputOf(program: string, args: readonly string[]): string {
  const { execFileSync } = process.getBuiltinModule("node:child_process");
  return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}
