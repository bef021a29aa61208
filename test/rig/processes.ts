import fs from "node:fs";

export interface LiveProcess {
  readonly pid: number;
  readonly command: string;
}

function read(file: string): string {
  try {
    return fs.readFileSync(file, "latin1");
  } catch {
    return "";
  }
}

/**
 * The live processes that carry a path in their environment or command line: everything that was started below a
 * temporary project inherits its path. Only Linux tells; elsewhere there seem to be none.
 */
export function processesWith(path: string): LiveProcess[] {
  if (process.platform !== "linux") return [];
  const found: LiveProcess[] = [];
  for (const entry of fs.readdirSync("/proc")) {
    if (!/^\d+$/.test(entry) || entry === String(process.pid)) continue;
    const command = read(`/proc/${entry}/cmdline`).replaceAll("\0", " ").trim();
    if (!command.includes(path) && !read(`/proc/${entry}/environ`).includes(path)) continue;
    if (isAlive(Number(entry))) found.push({ pid: Number(entry), command });
  }
  return found;
}

/** Whether there is such a process; a zombie is none. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = read(`/proc/${pid}/stat`);
  return stat === "" || stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3) !== "Z";
}

export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // gone already
  }
}
