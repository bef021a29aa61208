import { spawn } from "node:child_process";
import fs from "node:fs";
import { openToAppend } from "../project/open-to-append.js";
import type { Launcher, WorkerStart } from "./launcher.js";

/** A session of its own, no terminal: what it prints goes to a file. */
export class DetachedLauncher implements Launcher {
  whereabouts(start: WorkerStart): string {
    return `prints to ${start.printed}`;
  }

  // Node's spawn and not execa: the file must be the child's own, not a pipe that ends with the recruiter.
  async start(start: WorkerStart): Promise<void> {
    const [program, ...args] = start.command;
    const printed = openToAppend(start.printed, start.mode);
    try {
      const child = spawn(program, args, {
        cwd: start.directory,
        env: start.environment,
        stdio: ["ignore", printed, printed],
        detached: true,
      });
      child.unref();
    } finally {
      fs.closeSync(printed);
    }
  }
}
