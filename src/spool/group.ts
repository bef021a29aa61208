import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { startToken } from "./identity.js";

const LOOKS = 200;

/**
 * Kills a lost worker's process group on this host, and waits until it is gone. A job must not go on while it is run
 * again: this is the last resort when worker and guardian are dead both.
 *
 * The group is the worker's if its leader is still the process that it was. If the leader is dead, too, its number is
 * not given out anew while the group has members; that they are jobs of this worker, their environment tells.
 *
 * @param group `pid:start token`, as announced
 */
export async function killGroup(group: string, worker: string): Promise<void> {
  const [pid, token] = group.split(":");
  const leader = Number(pid);
  if (!Number.isSafeInteger(leader) || leader <= 1) return;
  const found = startToken(leader);
  if (found === undefined ? !membersOf(leader).some((member) => isJobOf(member, worker)) : found !== token)
    return;
  // An announcement may be forged, and name any process of this user. A zombie has no environment any more.
  if (process.platform === "linux" && found !== undefined) {
    if (statOf(leader).state !== "Z" && !isJobOf(leader, worker)) return;
  }
  for (let look = 0; look < LOOKS && signalGroup(leader, "SIGKILL"); look++) await delay(5);
}

/**
 * Sends a signal to a process group, and to what has left it and is still of the leader's session: coreutils' `timeout`
 * and shells with job control make groups of their own. False when there is nobody. Never to 0, which is one's own group,
 * and never to all.
 */
export function signalGroup(leader: number, signal: NodeJS.Signals): boolean {
  if (leader <= 1) return false;
  const outside =
    process.platform === "linux" ? membersOf(leader).filter((pid) => statOf(pid).group !== leader) : [];
  return [-leader, ...outside].map((target) => send(target, signal)).includes(true);
}

function send(target: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(target, signal);
  } catch {
    return false; // there is none
  }
}

/**
 * The live processes of a group, and of the session that its leader leads. Costs a look at every process of the system.
 */
export function membersOf(group: number): number[] {
  if (process.platform !== "linux") {
    const table = execFileSync("ps", ["-axo", "pid=,pgid="], { encoding: "utf8" });
    const rows = table.split("\n").map((row) => row.trim().split(/\s+/).map(Number));
    return rows.filter(([, pgid]) => pgid === group).map(([pid = 0]) => pid);
  }
  const pids = fs.readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
  return pids.map(Number).filter((pid) => {
    const { state, group: itsGroup, session } = statOf(pid);
    return (itsGroup === group || session === group) && state !== "Z";
  });
}

/** Fields 3, 5 and 6 of `/proc/PID/stat` (proc(5)). */
function statOf(pid: number): { state: string | undefined; group: number; session: number } {
  const stat = read(`/proc/${pid}/stat`);
  const [state, , group, session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { state, group: Number(group), session: Number(session) };
}

function isJobOf(pid: number, worker: string): boolean {
  return read(`/proc/${pid}/environ`).split("\0").includes(`FJORD_WORKER=${worker}`);
}

function read(path: string): string {
  try {
    return fs.readFileSync(path, "utf8");
  } catch {
    return ""; // it has ended, or is another user's
  }
}
