import fs from "node:fs";
import path from "node:path";
import { execa } from "execa";

/** Whether system calls can be counted here: strace is there, and may look. */
export async function canCountCalls(): Promise<boolean> {
  return !(await execa("strace", ["-o", "/dev/null", "true"], { reject: false })).failed;
}

/**
 * Counts the system calls of processes and of what they start, by `strace -f -c`, from when all are watched.
 *
 * @param dir for strace's summaries
 * @param begun called when the counting has begun
 * @param over awaited until it is to end
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

/** The `calls` column of the line of totals. */
function total(summary: string): number {
  const calls = /^\s*100\.00\s+\S+\s+(?:\S+\s+)?(\d+)\s+(?:\d+\s+)?total$/m.exec(summary)?.[1];
  if (calls === undefined) throw new Error(`strace has counted nothing: ${summary}`);
  return Number(calls);
}
