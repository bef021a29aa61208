import fs from "node:fs";
import type { CpuTime } from "../ledger/line.js";
import { membersOf } from "../spool/group.js";
import { statField } from "../spool/identity.js";
import { systemClock } from "../store/clock.js";

/**
 * Measures the peak memory of a job, with samples from /proc while the job runs. The peak is the largest `VmHWM` of a single
 * process (proc(5)), or the largest sum of all processes in one sample. A job that ends before the first sample has none.
 */
export class MemoryWatch {
  readonly #launcher: number;
  readonly #longest: number;
  #callOff: () => void = () => undefined;
  #peak = 0;

  /** @param longest longest time between two samples, ms */
  constructor(launcher: number, longest: number) {
    this.#launcher = launcher;
    this.#longest = longest;
    if (process.platform === "linux") this.#sampleIn(FIRST_SAMPLE);
  }

  /** @returns bytes; null without a sample */
  stop(): number | null {
    this.#callOff();
    return this.#peak === 0 ? null : this.#peak;
  }

  #sampleIn(ms: number): void {
    this.#callOff = systemClock.after(ms, () => {
      let sum = 0;
      for (const pid of descendants(this.#launcher)) {
        const { now, peak } = memoryOf(pid);
        sum += now;
        this.#peak = Math.max(this.#peak, peak);
      }
      this.#peak = Math.max(this.#peak, sum);
      this.#sampleIn(Math.min(ms * 2, this.#longest));
    });
  }
}

/** Time from the start of a job to the first sample, ms. */
const FIRST_SAMPLE = 50;

function read(path: string): string {
  try {
    return fs.readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Whether this system lists the children of a process (proc(5), CONFIG_PROC_CHILDREN). */
export const CAN_LIST_CHILDREN = fs.existsSync(childrenOf(process.pid));

function childrenOf(pid: number): string {
  return `/proc/${pid}/task/${pid}/children`;
}

/** Whether a process has children, also dead ones for which it has not waited. */
export function hasChildren(pid: number): boolean {
  return read(childrenOf(pid)) !== "";
}

function descendants(pid: number): number[] {
  const children = read(childrenOf(pid)).split(" ").filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function memoryOf(pid: number): { now: number; peak: number } {
  const status = read(`/proc/${pid}/status`);
  const field = (name: string) =>
    Number(new RegExp(`^${name}:\\s*(\\d+) kB`, "m").exec(status)?.[1] ?? 0) * 1024;
  return { now: field("VmRSS"), peak: field("VmHWM") };
}

/** Clock ticks per second in /proc (USER_HZ, proc(5)). All current architectures have this value. */
const TICKS = 100;
const STAT_LENGTH = 1024;

/** CPU time of the children that a process has waited for, from /proc. */
export class ChildrenClock {
  /** File that stays open, because opening costs more than reading. */
  #stat: number | undefined;

  constructor(pid: number) {
    try {
      this.#stat = fs.openSync(`/proc/${pid}/stat`, "r");
    } catch {
      // the process has ended, or the system has no /proc
    }
  }

  /** @returns undefined when the process has ended, or the system has no /proc */
  read(): CpuTime | undefined {
    if (this.#stat === undefined) return undefined;
    const buffer = Buffer.allocUnsafe(STAT_LENGTH);
    try {
      const stat = buffer.toString("latin1", 0, fs.readSync(this.#stat, buffer, 0, STAT_LENGTH, 0));
      return { user: Number(statField(stat, 16)) / TICKS, system: Number(statField(stat, 17)) / TICKS };
    } catch {
      return undefined; // ESRCH: the process has ended
    }
  }

  close(): void {
    if (this.#stat !== undefined) fs.closeSync(this.#stat);
    this.#stat = undefined;
  }
}

/**
 * Whether a process group has members that neither the leader nor a job of the leader has started: processes that an ended job
 * left behind. While a job runs, a process that just ends may look like that.
 */
export function hasLeftovers(leader: number): boolean {
  const others = membersOf(leader).filter((pid) => pid !== leader);
  if (others.length === 0) return false;
  const ofJob = new Set(descendants(leader));
  return others.some((pid) => !ofJob.has(pid));
}
