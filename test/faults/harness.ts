import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { CANCELLED_NUMBER, readArrays } from "../checker/arrays.js";
import { type Accepted, check, type Known } from "../checker/checker.js";
import { isAlive, processesOf, stateOf } from "../checker/evidence.js";
import { sampleCoverage, withoutCoverage } from "../rig/coverage.js";

/** dist/test/faults → the package. */
const PACKAGE = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..", "..");

/** Beats so quick that a lost worker is found within a second or two. */
export const QUICK = { beat: "0.2 s", lost_after: "5", poll: "0.1 s", lost_limit: "1000", grace: "0.5 s" };
/** When a worker with these is declared lost, ms. */
export const QUICK_LEASE = 1000;

const UPTIME = "read up _ </proc/uptime";
/**
 * Tells its witness when a run begins and ends: `job.sh WITNESS SECONDS|FLAG STATUS JOBFILE`; waits for a flag. With the
 * status `checkpoint` it succeeds when an attempt before this one has left its checkpoint, else it asks for the next; with
 * `second` it fails once.
 */
const JOB = `#!/bin/sh
${UPTIME}
echo "start $FJORD_JOB $FJORD_ATTEMPT $$ $up" >>"$1"
case $2 in
0) ;;
/*) until [ -e "$2" ]; do sleep 0.03; done ;;
*) sleep "$2" ;;
esac
${UPTIME}
echo "end $FJORD_JOB $FJORD_ATTEMPT $$ $up" >>"$1"
[ "$3" != second ] || { mkdir "$1.$FJORD_JOB" 2>/dev/null && exit 1; exit 0; }
[ "$3" = checkpoint ] || exit "$3"
! mkdir "$FJORD_CHECKPOINT_DIR" 2>/dev/null || exit 75
exit 0
`;

/** Waits for a condition; the deadline is what a loaded machine may need, not what it takes. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  seconds = 30,
  state: () => string = () => "",
): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`after ${seconds} s still not: ${what}\n${state()}`);
    await delay(10);
  }
}

/** The seed of this run: printed, so that it can be replayed with FJORD_TEST_SEED. */
export const SEED = Number(process.env.FJORD_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Numbers from 0 to 1 that a seed gives (mulberry32). */
export class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }
  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.next() * from.length)] as T;
  }
}

/** A process that was started here. */
export interface Daemon {
  readonly pid: number;
  /** Its exit code; undefined while it lives, and when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly ended: Promise<void>;
  readonly output: string;
  /** It may be refused: then its exit code says so. */
  readonly mayFail: boolean;
  isAlive(): boolean;
  kill(signal?: NodeJS.Signals): void;
}

/** A way to start a program differently: prefix of the command line. */
export interface StartOptions {
  readonly prefix?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly mayFail?: boolean;
}

/** A temporary project, its workers' directory, and the jobs' witness outside of it. */
export class Bench {
  readonly base: string;
  readonly root: string;
  readonly directory: string;
  readonly witness: string;
  readonly accepted: Accepted[] = [];
  readonly #job: string;
  readonly #daemons: Daemon[] = [];

  /** @param root where the project is to be, if not below the temporary directory */
  constructor(settings: Readonly<Record<string, string>> = QUICK, root?: string) {
    this.base = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "fjord-faults-")));
    this.root = root ?? path.join(this.base, "project");
    this.directory = path.join(this.base, "work");
    this.witness = path.join(this.base, "witness");
    this.#job = path.join(this.base, "job.sh");
    fs.mkdirSync(this.directory);
    fs.writeFileSync(this.#job, JOB, { mode: 0o755 });
    for (const dir of [
      "jobqueue",
      "workerqueue",
      "jobpod/retry",
      "jobdone",
      "jobfailed",
      "jobcancelled",
      "ledger",
    ])
      fs.mkdirSync(this.path(dir), { recursive: true });
    const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`);
    fs.writeFileSync(this.path("settings.ini"), `[fjord]\n${lines.join("")}`);
  }

  path(...names: string[]): string {
    return path.join(this.root, ...names);
  }

  list(...names: string[]): string[] {
    try {
      return fs.readdirSync(this.path(...names));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  }

  /** A file's text; "" when it is gone. */
  read(...names: string[]): string {
    try {
      return fs.readFileSync(this.path(...names), "utf8");
    } catch {
      return "";
    }
  }

  has(...names: string[]): boolean {
    return fs.existsSync(this.path(...names));
  }

  /** The command line of a job that takes so many seconds, and tells its witness. */
  line(seconds: number, status: number | "checkpoint" | "second" = 0): string {
    return `${this.#job} ${this.witness} ${seconds} ${status}`;
  }

  /** The command line of a job that goes on until the flag is raised. */
  lineUntil(flag: string): string {
    return `${this.#job} ${this.witness} ${this.#flag(flag)} 0`;
  }

  raise(flag: string): void {
    fs.writeFileSync(this.#flag(flag), "");
  }

  #flag(flag: string): string {
    return path.join(this.base, flag);
  }

  /** S1, by hand: what is accepted is what the checker will ask for. */
  submit(accepted: Accepted, line: string, more = ""): void {
    const retries = accepted.retries === undefined ? "" : `retries: ${accepted.retries}\n`;
    this.#rename(accepted.job, `[control]\nexecutable: ${line}\n${retries}${more}`);
    this.accepted.push(accepted);
  }

  /** The same with an array: each of its elements is accepted. @param elementOf what is known of one, but for its name */
  submitArray(
    name: string,
    count: number,
    line: string,
    elementOf: (number: number) => Omit<Accepted, "job"> = () => ({ ends: "jobdone" }),
  ): void {
    this.#rename(name, `[control]\nexecutable: ${line}\n[array]\nrange: 1-${count}\n`);
    for (let n = 1; n <= count; n++) this.accepted.push({ ...elementOf(n), job: `${name}_${n}` });
  }

  #rename(job: string, text: string): void {
    const temporary = this.path("jobqueue", `.${job}.${this.accepted.length}.tmp`);
    fs.writeFileSync(temporary, text);
    const then = Date.now() / 1000 - 15; // as submit does
    fs.utimesSync(temporary, then, then);
    fs.renameSync(temporary, this.path("jobqueue", `${job}.ini`));
  }

  worker(options: StartOptions = {}): Daemon {
    return this.#start("worker", [], options);
  }

  /** Stays until it is told to go, so that it never ends for want of jobs. */
  dispatcher(options: StartOptions = {}): Daemon {
    return this.#start("dispatcher", ["--stay"], options);
  }

  command(name: string, args: readonly string[], options: StartOptions = {}): Daemon {
    return this.#start(name, args, options);
  }

  #start(name: string, args: readonly string[], options: StartOptions): Daemon {
    const script = path.join(PACKAGE, "bin", `${name}.js`);
    const command = [...(options.prefix ?? []), process.execPath, script, ...args, "--project", this.root];
    const env = { ...options.env, FJORD_PROJECT: this.root };
    const child = execa(command[0] as string, command.slice(1), {
      cwd: this.directory,
      // Where calls are counted they have to be the same each time.
      env: options.prefix === undefined ? sampleCoverage(env) : withoutCoverage(env),
      stdin: "ignore",
      all: true,
      buffer: true,
      reject: false,
      cleanup: false,
    });
    let output = "";
    child.all?.on("data", (text: Buffer) => {
      output += text;
    });
    let exitCode: number | undefined;
    let hasEnded = false;
    const heard = new Promise((resolve) => child.all?.once("end", resolve));
    // The exit, and not the end of its pipes alone: what it leaves behind may hold them.
    const ended = new Promise<void>((resolve) => {
      child.once("exit", (code) => {
        exitCode = code ?? undefined;
        hasEnded = true;
        void Promise.race([heard, delay(1000)]).then(() => resolve());
      });
    });
    const daemon: Daemon = {
      pid: child.pid ?? 0,
      get exitCode() {
        return exitCode;
      },
      ended,
      mayFail: options.mayFail ?? name === "recruiter",
      get output() {
        return output;
      },
      isAlive: () => !hasEnded,
      kill: (signal = "SIGKILL") => {
        if (!hasEnded) child.kill(signal);
      },
    };
    this.#daemons.push(daemon);
    return daemon;
  }

  /** Runs a command to its end. */
  async run(name: string, ...args: string[]): Promise<Daemon> {
    const daemon = this.#start(name, args, {});
    await until(
      `${name} ${args.join(" ")} has ended`,
      () => !daemon.isAlive(),
      60,
      () => daemon.output,
    );
    return daemon;
  }

  /** Every daemon that was started and ended by itself, and not as it should: succeeded, some failed, told to go. */
  crashed(): string[] {
    return this.#daemons
      .filter(
        ({ exitCode, mayFail }) => exitCode !== undefined && ![0, 1, 130].includes(exitCode) && !mayFail,
      )
      .map((daemon) => `exit code ${daemon.exitCode}: ${daemon.output}`);
  }

  daemonLogs(): string {
    return this.list("daemonlogs")
      .map((file) => fs.readFileSync(this.path("daemonlogs", file), "utf8"))
      .join("");
  }

  workers(): string[] {
    return this.list("workerqueue")
      .filter((name) => !name.startsWith("."))
      .map((name) => name.slice(0, -".ini".length));
  }

  desks(): string[] {
    return this.list("jobpod").filter((name) => !name.startsWith("."));
  }

  /** Waits until a worker's announcement and desk are there. */
  async onDuty(count: number): Promise<void> {
    await until(
      `${count} workers on duty`,
      () => this.workers().filter((id) => this.has("jobpod", id)).length >= count,
    );
  }

  /** Accepted jobs that have not come to their end. */
  unended(): string[] {
    const ended = new Set(["jobdone", "jobfailed", "jobcancelled"].flatMap((room) => this.list(room)));
    const open = this.accepted.filter(({ job, withdrawn }) => !withdrawn && !ended.has(`${job}.ini`));
    if (open.length === 0) return [];
    const cancelled = new Set(
      readArrays(this.root).placed.flatMap(([job, place]) => (place === CANCELLED_NUMBER ? [job] : [])),
    );
    return open.filter(({ job }) => !cancelled.has(job)).map(({ job }) => job);
  }

  async untilEnded(seconds = 60): Promise<void> {
    await until(
      "all jobs have ended",
      () => this.unended().length === 0,
      seconds,
      () => this.describe(),
    );
  }

  describe(): string {
    const places = ["jobqueue", "workerqueue", "jobpod", ...this.desks().map((desk) => `jobpod/${desk}`)]
      .map((dir) => `${dir}: ${this.list(dir).join(" ")}`)
      .join("\n");
    const processes = processesOf(this.root).map(({ pid, command }) => `${pid} ${command}`);
    return `unended: ${this.unended().join(" ")}\n${places}\n${processes.join("\n")}\n${this.crashed().join("\n")}`;
  }

  /** The runs that have come to their end, as `JOB ATTEMPT`. */
  ends(): string[] {
    if (!fs.existsSync(this.witness)) return [];
    const lines = fs.readFileSync(this.witness, "utf8").split("\n");
    return lines
      .filter((line) => line.startsWith("end "))
      .map((line) => line.split(" ").slice(1, 3).join(" "));
  }

  /** The pid of the run that goes on now, as it told its witness. */
  running(job: string): number | undefined {
    const lines = fs.existsSync(this.witness) ? fs.readFileSync(this.witness, "utf8").split("\n") : [];
    const pids = lines
      .filter((line) => line.startsWith(`start ${job} `))
      .map((line) => Number(line.split(" ")[3]));
    return pids.findLast(isAlive);
  }

  async untilRunning(job: string): Promise<number> {
    await until(
      `${job} runs`,
      () => this.running(job) !== undefined,
      30,
      () => this.describe(),
    );
    return this.running(job) as number;
  }

  ledger(): {
    event: string;
    job?: string;
    attempt?: number;
    worker?: string;
    to?: string;
    reason?: string;
  }[] {
    return this.list("ledger").flatMap((file) =>
      fs
        .readFileSync(this.path("ledger", file), "utf8")
        .split("\n")
        .flatMap((line) => {
          try {
            return [JSON.parse(line)];
          } catch {
            return [];
          }
        }),
    );
  }

  /** All jobs have ended: everybody is sent home in an orderly way, and the checker judges. */
  async closeDown(known: Partial<Known> = {}): Promise<void> {
    // A dispatcher has to be there, to take back what the dead still hold.
    const seatTaken = this.#daemons.some(
      (daemon) => daemon.isAlive() && daemon.output.includes("[dispatcher]"),
    );
    if (!seatTaken) this.dispatcher();
    await until(
      "what the dead held is taken back",
      () => !this.#holdsDead(),
      60,
      () => this.describe(),
    );
    // A worker that was started and is not on duty yet is not fired with the others: its turn comes.
    await until(
      "nobody is on duty",
      async () => {
        const fired = await this.run("recruiter", "fire", "--wait");
        if (fired.exitCode !== 0) throw new Error(`fire: ${fired.exitCode} ${fired.output}`);
        return this.list("workerqueue").length === 0 && !this.#anyWorkerLives();
      },
      60,
      () => this.describe(),
    );
    for (const daemon of this.#daemons) if (daemon.isAlive()) daemon.kill("SIGINT");
    await until(
      "no process is left",
      () => processesOf(this.root).length === 0,
      30,
      () => this.describe(),
    );
    this.judge({ over: true, oneHost: true, ...known });
  }

  #anyWorkerLives(): boolean {
    return processesOf(this.root).some(({ command }) => /bin\/(?:hired-)?worker\.js/.test(command));
  }

  #holdsDead(): boolean {
    return this.desks().some((desk) => desk !== "retry" && !this.has("workerqueue", `${desk}.ini`));
  }

  /** Judges amid the work: everybody stands still for that moment. */
  async judgeNow(known: Partial<Known> = {}): Promise<void> {
    const daemons = processesOf(this.root).filter(({ command }) => /bin\/[\w-]+\.js/.test(command));
    for (const { pid } of daemons) kill(pid, "SIGSTOP");
    try {
      const stands = (pid: number) => !"RSD".includes(stateOf(pid) ?? "Z");
      await until("everybody stands still", () => daemons.every(({ pid }) => stands(pid)));
      this.judge(known);
    } finally {
      for (const { pid } of daemons) kill(pid, "SIGCONT");
    }
  }

  judge(known: Partial<Known> = {}): void {
    const violations = check(this.root, {
      accepted: this.accepted,
      witness: this.witness,
      over: false,
      ...known,
    });
    const crashed = this.crashed();
    if (violations.length + crashed.length === 0) return;
    const found = violations.map(({ check, what }) => `${check}: ${what}`);
    throw new Error([...found, ...crashed, `seed ${SEED}, project ${this.root}`].join("\n"));
  }

  /**
   * Takes everything away. Throws when a process is still there after a test that passed: none of ours may be left.
   *
   * @param keep the directory is kept, for people who look why it failed
   */
  async dispose(keep: boolean): Promise<void> {
    const left = processesOf(this.root);
    for (const { pid } of left) kill(pid);
    await until("all are gone", () => left.every(({ pid }) => !isAlive(pid)));
    if (keep && process.env.FJORD_KEEP !== undefined) return;
    for (const dir of [this.root, this.base]) fs.rmSync(dir, { recursive: true, force: true });
    if (!keep && left.length > 0) {
      throw new Error(`processes were left behind: ${left.map(({ command }) => command).join("; ")}`);
    }
  }
}

export function kill(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // gone already
  }
}

/** A bench for each test of a suite; disposed of after it, and judged by nobody but the test. */
export function benches(settings: Readonly<Record<string, string>> = QUICK): () => Bench {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench(settings);
  });
  afterEach(async function () {
    await bench.dispose(this.currentTest?.isFailed() ?? false);
  });
  return () => bench;
}
