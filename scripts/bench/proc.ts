import fs from "node:fs";

/** Clock ticks in a second of /proc. USER_HZ is 100 on every Linux (proc(5)). */
const TICKS = 100;

function statFields(pid: number | "self"): string[] {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** CPU seconds of a process, and of the children that it has waited for. */
export function cpuOf(pid: number | "self"): { own: number; children: number } {
  const fields = statFields(pid).map(Number);
  const sum = (a: number, b: number) => ((fields[a] ?? 0) + (fields[b] ?? 0)) / TICKS;
  return { own: sum(11, 12), children: sum(13, 14) };
}

/** Peak resident memory of a process, in bytes. */
export function peakMemoryOf(pid: number): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

/** Number of read calls of a process (proc(5), io: syscr). A dispatcher reads each job file once. */
export function readCallsOf(pid: number): number {
  return Number(/^syscr: (\d+)/m.exec(fs.readFileSync(`/proc/${pid}/io`, "utf8"))?.[1]);
}
