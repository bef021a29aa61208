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
 * Live processes that have a path in their environment or command line. Every process that is started in a temporary
 * project inherits the path. Only Linux shows this; on other systems the list is empty.
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

/** A zombie does not count. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !"ZX".includes(stateOf(pid) ?? "alive");
}

/**
 * State of a process, a letter as in proc(5): `R`, `S`, `D`, `T` (stopped), `Z`. Undefined if there is no such process,
 * or no /proc.
 */
export function stateOf(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`);
  return stat === "" ? undefined : stat[stat.lastIndexOf(")") + 2];
}

export function kill(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // the process has already ended
  }
}
