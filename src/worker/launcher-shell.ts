import fs from "node:fs";
import { execa } from "execa";
import { signalGroup } from "../spool/group.js";
import { startToken } from "../spool/identity.js";
import type { CpuTime } from "../spool/ledger.js";
import { type RunRequest, runText } from "./command.js";
import { Guardian } from "./guardian.js";
import type { Launcher, RunEnd } from "./launcher.js";
import { ChildrenClock, hasLeftovers, MemoryWatch } from "./usage.js";

/** Signals that reach the whole group leave the launcher in place; a subshell gets them as they were. */
const PROLOGUE = "trap : HUP INT QUIT TERM\n";
/** Each thing that the shell says wakes the worker once more: where /proc tells the times, it says the status only. */
const EPILOGUE =
  process.platform === "linux" ? '; echo "=$?"\n' : '; fjord_status=$?; times; echo "=$fjord_status"\n';
const TIMES = /^(\d+)m([\d.]+)s (\d+)m([\d.]+)s$/;

function startShell(directory: string, environment: Readonly<Record<string, string>>) {
  return execa("/bin/sh", [], {
    cwd: directory,
    env: environment,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
    buffer: false,
    reject: false,
    detached: true,
    cleanup: false,
  });
}

/** Of what a shell's `times` prints (POSIX 2.14) the second line. */
function parseTimes(line: string): CpuTime | undefined {
  const match = TIMES.exec(line);
  if (match === null) return undefined;
  const [um, us, sm, ss] = match.slice(1).map(Number) as [number, number, number, number];
  return { user: um * 60 + us, system: sm * 60 + ss };
}

/**
 * A long-lived `/bin/sh` in a session and process group of its own that runs one job after the other: a fork
 * instead of a spawn from Node, which blocks for a millisecond. A guardian kills the group when the worker is gone.
 */
export class LauncherShell implements Launcher {
  readonly #shell: ReturnType<typeof startShell>;
  readonly #guardian: Guardian;
  readonly #clock: ChildrenClock;
  /** `pid:start token`, as announced. */
  readonly group: string;
  readonly #pid: number;
  #rest = "";
  #lastTimes = "";
  #children: CpuTime = { user: 0, system: 0 };
  #running: ((end: RunEnd) => void) | undefined;
  #dead = false;

  /** Where it stands. Not the worker's directory when that has been removed: then every job that needs it says so. */
  readonly directory: string;

  /**
   * @param environment what every job of this worker gets on top of the worker's own environment
   * @throws ErrnoException EAGAIN when no process can be started now
   */
  constructor(directory: string, environment: Readonly<Record<string, string>>) {
    this.directory = fs.existsSync(directory) ? directory : "/";
    this.#shell = startShell(this.directory, environment);
    if (this.#shell.pid === undefined) {
      throw Object.assign(new Error("EAGAIN: the launcher shell could not be started"), { code: "EAGAIN" });
    }
    this.#pid = this.#shell.pid;
    this.group = `${this.#pid}:${startToken(this.#pid) ?? ""}`;
    this.#guardian = new Guardian(this.#pid);
    this.#clock = new ChildrenClock(this.#pid);
    this.#shell.stdout.setEncoding("utf8").on("data", (text: string) => this.#hear(text));
    this.#shell.stdin.on("error", () => undefined); // EPIPE: the exit below tells
    this.#shell.once("exit", () => this.#died());
    this.#shell.stdin.write(PROLOGUE);
  }

  get isAlive(): boolean {
    return !this.#dead;
  }

  /** Runs one job; one at a time. Never rejects. */
  run(request: RunRequest): Promise<RunEnd> {
    if (this.#running !== undefined) throw new Error("the launcher shell runs a job already");
    return new Promise((resolve) => {
      this.#running = resolve;
      if (this.#dead) this.#died();
      else this.#shell.stdin.write(runText(request) + EPILOGUE);
    });
  }

  signal(signal: NodeJS.Signals): void {
    signalGroup(this.#pid, signal);
  }

  /** S10: a job runs, and the group dies if its deadline is not renewed. */
  watch(deadline: number): void {
    this.#guardian.watch(deadline);
  }

  /** S10: the group dies if this is not said again within so many seconds. */
  renew(deadline: number): void {
    this.#guardian.renew(deadline);
  }

  /** No job runs: no deadline. */
  rest(): void {
    this.#guardian.rest();
  }

  watchMemory(longest: number): MemoryWatch {
    return new MemoryWatch(this.#pid, longest);
  }

  hasLeftovers(): boolean {
    return hasLeftovers(this.#pid);
  }

  /** Kills the whole group, the launcher too, and waits until it is reaped. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.#shell;
    void this.#guardian.dismiss();
  }

  #hear(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.startsWith("=")) {
        this.#end({ kind: "exited", status: Number(line.slice(1)), cpu: this.#cpuSinceLast() });
      } else {
        this.#lastTimes = line; // two lines: the shell's own, then its children's
      }
    }
  }

  #cpuSinceLast(): CpuTime | null {
    const now = process.platform === "linux" ? this.#clock.read() : parseTimes(this.#lastTimes);
    if (now === undefined) return null;
    const before = this.#children;
    this.#children = now;
    const since = (later: number, earlier: number) => Math.round((later - earlier) * 1000) / 1000;
    return { user: since(now.user, before.user), system: since(now.system, before.system) };
  }

  #died(): void {
    this.#dead = true;
    this.#clock.close();
    this.signal("SIGKILL"); // what else is in the group
    void this.#guardian.dismiss().then((byGuardian) => this.#end({ kind: "shell-died", byGuardian }));
  }

  #end(end: RunEnd): void {
    const running = this.#running;
    this.#running = undefined;
    running?.(end);
  }
}
