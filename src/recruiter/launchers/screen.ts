import { leaveForeign } from "../environment.js";
import type { Launcher, WorkerStart } from "../launcher.js";
import { runSessionTool } from "./session-tool.js";

/** Starts each worker in a GNU screen session, as fjd did. */
export class ScreenLauncher implements Launcher {
  whereabouts(start: WorkerStart): string {
    return `screen -r ${start.id}`;
  }

  start(start: WorkerStart): Promise<void> {
    leaveForeign(start);
    return runSessionTool("screen", ["-dmS", start.id, ...start.command], start);
  }
}
