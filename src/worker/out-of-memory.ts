import fs from "node:fs";
import path from "node:path";

/** A file in which the kernel counts the processes that its out-of-memory killer ended, and the scope of this count. */
export interface OomCounter {
  readonly file: string;
  readonly where: string;
}

const COUNT = /^oom_kill (\d+)$/m;

/** The counters for this process: that of its control group in either version of cgroups(7), then that of the whole host. */
export function oomCounters(): OomCounter[] {
  const groups = read("/proc/self/cgroup") ?? "";
  const group = (line: RegExp) => line.exec(groups)?.[1] ?? "";
  const v1 = group(/^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m);
  const v2 = group(/^0::(.*)$/m);
  const root = "/sys/fs/cgroup";
  const files =
    v1 !== ""
      ? [path.join(root, "memory", v1, "memory.oom_control")]
      : [path.join(root, v2, "memory.events"), path.join(root, "unified", v2, "memory.events")];
  return [
    ...files.map((file) => ({ file, where: "in the worker's control group" })),
    { file: "/proc/vmstat", where: "on this host" },
  ];
}

/** Tells whether the kernel's out-of-memory killer ended processes since the last question. Each question reads one file. */
export class OomWatch {
  readonly #counter: OomCounter | undefined;
  #count = 0;
  #since = new Date();

  /** @param counters the first counter that can be read is used */
  constructor(counters: readonly OomCounter[] = oomCounters()) {
    for (const counter of counters) {
      const count = countIn(counter.file);
      if (count === undefined) continue;
      this.#counter = counter;
      this.#count = count;
      break;
    }
  }

  /** Line for the log of a job that a SIGKILL ended which fjord did not send. */
  describe(): string {
    const killed = "fjord: killed by SIGKILL, which fjord did not send.";
    const killer = "the kernel's out-of-memory killer";
    const count = this.#counter && countIn(this.#counter.file);
    if (this.#counter === undefined || count === undefined) return `${killed} The usual cause is ${killer}.`;
    const { where } = this.#counter;
    const news = count - this.#count;
    const since = `since ${this.#since.toISOString()}`;
    this.#count = count;
    this.#since = new Date();
    if (news <= 0) return `${killed} The usual cause is ${killer}, but it ended nothing ${where} ${since}.`;
    const what = news === 1 ? "1 process" : `${news} processes`;
    return `${killed} The cause is ${killer}, most likely: it ended ${what} ${where} ${since}.`;
  }
}

function countIn(file: string): number | undefined {
  const found = COUNT.exec(read(file) ?? "")?.[1];
  return found === undefined ? undefined : Number(found);
}

function read(file: string): string | undefined {
  try {
    return fs.readFileSync(file, "latin1");
  } catch {
    return undefined;
  }
}
