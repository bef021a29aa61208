import fs from "node:fs";
import { systemClock } from "../store/clock.js";
import { startToken } from "./identity.js";

/** Largest number of SIGKILL signals to send, 5 ms apart. */
const KILLS = 200;

/**
 * Kills the process group of a lost worker on this host, and waits until it is gone. A job must not go on while it runs again
 * elsewhere. The kill is needed only if the worker and its guardian are both dead.
 *
 * The group belongs to the worker if its leader still has the announced start time. If the leader is dead, the system does not
 * reuse its number while the group has members. Then the environment of the members tells whether they are jobs of this worker.
 *
 * @param group `pid:start token`, from the announcement
 */
export async function killGroup(group: string, worker: string): Promise<void> {
  const [pid, token] = group.split(":");
  const leader = Number(pid);
  if (!Number.isSafeInteger(leader) || leader <= 1) return;
  const found = startToken(leader);
  if (found === undefined ? !membersOf(leader).some((member) => isJobOf(member, worker)) : found !== token)
    return;
  // A forged announcement may name any process of this user, so this checks the environment as well. A zombie process has no
  // environment.
  if (process.platform === "linux" && found !== undefined) {
    if (statOf(leader).state !== "Z" && !isJobOf(leader, worker)) return;
  }
  for (let kill = 0; kill < KILLS && signalGroup(leader, "SIGKILL"); kill++) await systemClock.sleep(5);
}

/**
 * Sends a signal to a process group and to the other processes of its session. coreutils' `timeout` and shells with job control
 * make groups of their own in the session. It never signals group 0, the group of the caller, and never all processes.
 *
 * @returns whether there was a process to signal
 */
export function signalGroup(leader: number, signal: NodeJS.Signals): boolean {
  if (leader <= 1) return false;
  const outside =
    process.platform === "linux" ? membersOf(leader).filter((pid) => statOf(pid).group !== leader) : [];
  return [-leader, ...outside].map((target) => sendSignal(target, signal)).includes(true);
}

/** Sends a signal to a process, or to a group if the number is negative. @returns false when there is none */
export function sendSignal(target: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(target, signal);
  } catch {
    return false; // no such process
  }
}

/** Live processes of a group, and of the session of its leader. The function reads `/proc` for every process of the system. */
export function membersOf(group: number): number[] {
  if (process.platform !== "linux") {
    const { execFileSync } = process.getBuiltinModule("node:child_process");
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
    return ""; // the process has ended or belongs to another user
  }
}
