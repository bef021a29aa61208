import type { RunningCommand } from "../rig/command.js";
import { kill, stateOf } from "../rig/processes.js";
import { until } from "../rig/until.js";

export async function stop(daemon: RunningCommand): Promise<void> {
  kill(daemon.pid, "SIGSTOP");
  await until("the daemon is stopped", () => stateOf(daemon.pid) === "T");
}

export function wake(daemon: RunningCommand): void {
  kill(daemon.pid, "SIGCONT");
}
