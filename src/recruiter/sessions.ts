import { execa } from "execa";
import { FjordError } from "../job/error.js";
import { leaveEnvironment } from "./environment.js";
import type { Launcher, WorkerStart } from "./launcher.js";

async function run(tool: string, args: string[], start: WorkerStart): Promise<void> {
  const result = await execa(tool, args, {
    cwd: start.directory,
    env: start.environment,
    extendEnv: false,
    reject: false,
    stdin: "ignore",
  });
  if (result.code === "ENOENT") {
    throw new FjordError(
      "launcher-missing",
      `${tool} is not installed on this host.`,
      `Install it, or hire with --via detached.`,
    );
  }
  if (result.failed) {
    throw new FjordError("launcher-missing", `${tool} could not start a session: ${result.stderr.trim()}`);
  }
}

/** A tmux session per worker, which can be attached to. */
export class TmuxLauncher implements Launcher {
  whereabouts(start: WorkerStart): string {
    return `tmux attach -t ${start.id}`;
  }

  async start(start: WorkerStart): Promise<void> {
    // A tmux server that runs already has an environment of its own: the jobs are to have the recruiter's.
    const environment = leaveEnvironment(start.environmentFile, start.environment).flatMap(
      ([name, value]) => ["-e", `${name}=${value}`],
    );
    await run(
      "tmux",
      ["new-session", "-d", "-s", start.id, "-c", start.directory, ...environment, ...start.command],
      start,
    );
  }
}

/** A GNU screen session per worker, as fjd had them. */
export class ScreenLauncher implements Launcher {
  whereabouts(start: WorkerStart): string {
    return `screen -r ${start.id}`;
  }

  start(start: WorkerStart): Promise<void> {
    return run("screen", ["-dmS", start.id, ...start.command], start);
  }
}
