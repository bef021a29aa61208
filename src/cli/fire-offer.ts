import type { Project } from "../library/project.js";
import { say } from "./main.js";

/** Asks at a terminal whether to fire the workers, too. Ctrl-C and the end of the input mean no. */
export async function offerToFire(project: Project): Promise<void> {
  const workers = await project.workers();
  if (!process.stdin.isTTY || workers.length === 0) return;
  const { default: readline } = await import("node:readline/promises");
  const terminal = readline.createInterface({ input: process.stdin, output: process.stdout });
  try {
    const asked = new AbortController();
    terminal.once("SIGINT", () => asked.abort());
    terminal.once("close", () => asked.abort());
    const answer = await terminal
      .question(`[dispatcher] Fire the ${workers.length} workers? [y/N] `, { signal: asked.signal })
      .catch(() => "");
    if (/^\s*y(es)?\s*$/i.test(answer)) {
      const fired = await project.fire();
      say("dispatcher", `Fired ${fired.length} workers.`);
    }
  } finally {
    terminal.close();
  }
}
