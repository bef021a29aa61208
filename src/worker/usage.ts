import fs from "node:fs";
import { membersOf } from "../spool/group.js";
import { statField } from "../spool/identity.js";
import type { CpuTime } from "../spool/ledger.js";

/**
 * Peak memory of a job, as far as it was seen: `VmHWM` of each of its processes (proc(5)) and the sum of what they hold
 * at one moment, looked at now and then while it runs. A job that ends before the first look has none.
 */
export class MemoryWatch {
  readonly #launcher: number;
  readonly #longest: number;
  #timer: NodeJS.Timeout | undefined;
  #peak = 0;

  /** @param longest ms between two looks, at the most */
  constructor(launcher: number, longest: number) {
    this.#launcher = launcher;
    this.#longest = longest;
    if (process.platform === "linux") this.#lookIn(FIRST_LOOK);
  }

  /** Bytes; null when the system did not tell. */
  stop(): number | null {
    clearTimeout(this.#timer);
    return this.#peak === 0 ? null : this.#peak;
  }

  #lookIn(ms: number): void {
    this.#timer = setTimeout(() => {
      let sum = 0;
      for (const pid of descendants(this.#launcher)) {
        const { now, peak } = memoryOf(pid);
        sum += now;
        this.#peak = Math.max(this.#peak, peak);
      }
      this.#peak = Math.max(this.#peak, sum);
      this.#lookIn(Math.min(ms * 2, this.#longest));
    }, ms);
  }
}

const FIRST_LOOK = 50;

function read(path: string): string {
  try {
    return fs.readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function descendants(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function memoryOf(pid: number): { now: number; peak: number } {
  const status = read(`/proc/${pid}/status`);
  const field = (name: string) =>
    Number(new RegExp(`^${name}:\\s*(\\d+) kB`, "m").exec(status)?.[1] ?? 0) * 1024;
  return { now: field("VmRSS"), peak: field("VmHWM") };
}

/** USER_HZ: in these ticks a second /proc counts on all but long gone architectures (proc(5)). */
const TICKS = 100;
const STAT_LENGTH = 1024;

/** The CPU time of the children that a process has waited for, where /proc tells it. */
export class ChildrenClock {
  /** Kept open: that is most of what a look would cost. */
  #stat: number | undefined;

  constructor(pid: number) {
    try {
      this.#stat = fs.openSync(`/proc/${pid}/stat`, "r");
    } catch {
      // it has ended, or there is no /proc
    }
  }

  /** Undefined when the system does not tell. */
  read(): CpuTime | undefined {
    if (this.#stat === undefined) return undefined;
    const buffer = Buffer.allocUnsafe(STAT_LENGTH);
    try {
      const stat = buffer.toString("latin1", 0, fs.readSync(this.#stat, buffer, 0, STAT_LENGTH, 0));
      return { user: Number(statField(stat, 16)) / TICKS, system: Number(statField(stat, 17)) / TICKS };
    } catch {
      return undefined; // ESRCH: it has ended
    }
  }

  close(): void {
    if (this.#stat !== undefined) fs.closeSync(this.#stat);
    this.#stat = undefined;
  }
}

/** Whether a process group has members besides its leader: what a job left behind when it ended. */
export function hasLeftovers(group: number): boolean {
  return membersOf(group).some((pid) => pid !== group);
}
