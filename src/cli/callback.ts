import { once } from "node:events";
import type { DispatchEvent } from "../dispatcher/dispatch.js";
import type { Project } from "../library/project.js";
import { signalGroup } from "../spool/group.js";
import { errnoOf } from "../store/errno.js";
import { say } from "./main.js";

/**
 * Runs the command of `dispatcher --callback` in a shell, and waits for its end. A failure is printed and changes nothing.
 *
 * @param stop ends the command and all processes that it has started
 */
export async function runCallback(
  command: string,
  project: Project,
  event: DispatchEvent & { kind: "all-ended" },
  stop: AbortSignal,
): Promise<void> {
  const { spawn } = await import("node:child_process");
  if (stop.aborted) return;
  // This does not use execa, which refuses to start any command when the current directory is gone.
  const child = spawn("/bin/sh", ["-c", command], {
    stdio: ["ignore", "inherit", "inherit"],
    detached: true, // a process group of its own, which can be ended as a whole
    env: {
      ...process.env,
      FJORD_PROJECT: project.directory,
      FJORD_SUCCEEDED: String(event.succeeded),
      FJORD_FAILED: String(event.failed),
      FJORD_ELAPSED: event.elapsed.toFixed(1),
    },
  });
  const end = () => {
    if (child.pid !== undefined) signalGroup(child.pid, "SIGTERM");
  };
  process.once("exit", end); // a second Ctrl-C ends this process at once
  stop.addEventListener("abort", end, { once: true });
  const [exitCode, signal] = await once(child, "close").catch((error) => [errnoOf(error), null]);
  process.off("exit", end);
  stop.removeEventListener("abort", end);
  // The message does not repeat the command line, which may hold a password, because the message may go into a log.
  const why = typeof exitCode === "number" ? `exit code ${exitCode}` : (signal ?? exitCode);
  if (exitCode !== 0) say("dispatcher", `The callback failed: ${why}.`);
}
