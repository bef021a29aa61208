import { leaveEnvironment } from "../environment.js";
import type { Launcher, WorkerStart } from "../launcher.js";
import { runSessionTool } from "./session-tool.js";

/** Starts each worker in a tmux session. */
export class TmuxLauncher implements Launcher {
  whereabouts(start: WorkerStart): string {
    return `tmux attach -t ${start.id}`;
  }

  async start(start: WorkerStart): Promise<void> {
    // A running tmux server gives sessions its own environment, but the jobs need the environment of the recruiter.
    const environment = leaveEnvironment(start.environmentFile, start.environment, start.foreign).flatMap(
      ([name, value]) => ["-e", `${name}=${value}`],
    );
    await runSessionTool(
      "tmux",
      ["new-session", "-d", "-s", start.id, "-c", start.directory, ...environment, ...start.command],
      start,
    );
  }
}
