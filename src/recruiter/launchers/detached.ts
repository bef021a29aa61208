import fs from "node:fs";
import { openToAppend } from "../../project/open-to-append.js";
import { leaveForeign } from "../environment.js";
import type { Launcher, WorkerStart } from "../launcher.js";

/** Starts each worker in a session of its own, without a terminal. Its output goes to a file. */
export class DetachedLauncher implements Launcher {
  whereabouts(start: WorkerStart): string {
    return `prints to ${start.printed}`;
  }

  // Uses spawn instead of execa, because the worker must write to the file itself. A pipe would end with the recruiter.
  async start(start: WorkerStart): Promise<void> {
    const { spawn } = await import("node:child_process");
    const [program, ...args] = start.command;
    leaveForeign(start);
    const printed = openToAppend(start.printed, start.mode);
    try {
      const child = spawn(program, args, {
        cwd: start.directory,
        env: start.environment,
        stdio: ["ignore", printed, printed],
        detached: true,
      });
      child.unref();
      await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
    } finally {
      fs.closeSync(printed);
    }
  }
}
