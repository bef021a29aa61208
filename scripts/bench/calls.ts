import fs from "node:fs";
import path from "node:path";
import { execa } from "execa";

/** Whether system calls can be counted here. This needs strace and the permission to trace. */
export async function canCountCalls(): Promise<boolean> {
  return !(await execa("strace", ["-o", "/dev/null", "true"], { reject: false })).failed;
}

/**
 * Counts the system calls of processes and of their new children with `strace -f -c`.
 *
 * @param dir directory for strace's summaries
 * @param begun called when strace watches all processes
 * @param over resolves when the counting should end
 */
export async function countCalls(
  pids: readonly number[],
  dir: string,
  env: NodeJS.ProcessEnv,
  begun: () => void,
  over: () => Promise<void>,
): Promise<number> {
  const summary = (pid: number) => path.join(dir, `calls.${pid}`);
  const attached: Promise<void>[] = [];
  const tracers = pids.map((pid) => {
    const tracer = execa("strace", ["-f", "-c", "-o", summary(pid), "-p", String(pid)], {
      env,
      extendEnv: false,
      reject: false,
    });
    attached.push(
      new Promise((resolve) => {
        tracer.stderr.once("data", () => resolve()); // "Process N attached"
        tracer.once("exit", () => resolve());
      }),
    );
    return tracer;
  });
  await Promise.all(attached);
  begun();
  await over();
  for (const tracer of tracers) tracer.kill("SIGINT");
  await Promise.all(tracers);
  return pids
    .map((pid) => total(fs.readFileSync(summary(pid), "utf8")))
    .reduce((sum, count) => sum + count, 0);
}

/** Reads the `calls` column in the last line of a summary. */
function total(summary: string): number {
  const calls = /^\s*100\.00\s+\S+\s+(?:\S+\s+)?(\d+)\s+(?:\d+\s+)?total$/m.exec(summary)?.[1];
  if (calls === undefined) throw new Error(`The summary of strace has no total: ${summary}`);
  return Number(calls);
}
