import { setTimeout as delay } from "node:timers/promises";
import { startToken } from "./identity.js";

const LOOKS = 200;

/**
 * Kills a process group of this host, if its leader is still the process that it was, and waits until it is gone.
 * A job must not go on while it is run again: this is the last resort when worker and guardian are dead both.
 *
 * @param group `pid:start token`, as announced
 */
export async function killGroup(group: string): Promise<void> {
  const [pid, token] = group.split(":");
  const leader = Number(pid);
  if (!Number.isSafeInteger(leader) || leader <= 1 || startToken(leader) !== token) return;
  for (let look = 0; look < LOOKS && signalGroup(leader, "SIGKILL"); look++) await delay(5);
}

/** Sends a signal to a process group; false when there is none. */
export function signalGroup(leader: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-leader, signal);
    return true;
  } catch {
    return false;
  }
}
