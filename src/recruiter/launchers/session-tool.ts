import { FjordError } from "../../job/error.js";
import type { WorkerStart } from "../launcher.js";

/**
 * Runs the tool that makes a worker's session, in the directory and environment of the worker.
 *
 * @throws FjordError `launcher-missing` when the tool is not installed or fails
 */
export async function runSessionTool(
  tool: string,
  args: readonly string[],
  start: WorkerStart,
): Promise<void> {
  const { execa } = await import("execa");
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
      `Install ${tool}, or hire with --via detached.`,
    );
  }
  if (result.failed) {
    throw new FjordError("launcher-missing", `${tool} could not start a session: ${result.stderr.trim()}`);
  }
}
