import fs from "node:fs";
import path from "node:path";
import { CANCELLED_NUMBER, readArrays } from "../checker/arrays.js";
import { type Accepted, check, type Known } from "../checker/checker.js";
import { binary, type CommandName, type RunningCommand } from "../rig/command.js";
import { withoutCoverage } from "../rig/coverage.js";
import { SEED } from "../rig/dice.js";
import { isAlive, kill, processesWith, stateOf } from "../rig/processes.js";
import { TemporaryProject } from "../rig/temporary-project.js";
import { until } from "../rig/until.js";

/** With this heartbeat, the dispatcher finds a lost worker within two seconds. */
export const QUICK = { beat: "0.2 s", lost_after: "5", poll: "0.1 s", lost_limit: "1000", grace: "0.5 s" };
/** Time in ms after which a worker with these settings is declared lost. */
export const QUICK_LEASE = 1000;

const UPTIME = "read up _ </proc/uptime";
/**
 * A job that writes a line to its witness file when a run begins and when it ends:
 * `job.sh WITNESS SECONDS|FLAG STATUS JOBFILE`. The job takes this number of seconds, or waits for a file. With the
 * status `checkpoint` the first attempt leaves a checkpoint and asks for another attempt, and the second succeeds. With
 * `second` the job fails once.
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

/** A way to start a program differently. */
export interface StartOptions {
  /** Words with which the command line begins. */
  readonly prefix?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** The program may end with any exit code. */
  readonly mayFail?: boolean;
}

/**
 * A temporary project whose jobs write to a witness file outside of it, so that the checker can judge what has happened.
 * Workers and dispatchers are children of the test.
 */
export class WitnessedProject extends TemporaryProject {
  readonly witness: string;
  readonly accepted: Accepted[] = [];
  readonly #job: string;
  readonly #commands: RunningCommand[] = [];
  readonly #mayFail = new Set<RunningCommand>();

  constructor(settings: Readonly<Record<string, string>> = QUICK, directory?: string) {
    const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`);
    super(`[fjord]\n${lines.join("")}`, directory);
    this.witness = path.join(this.root, "witness");
    this.#job = path.join(this.root, "job.sh");
    fs.writeFileSync(this.#job, JOB, { mode: 0o755 });
    // Directories that the first process of a project makes. They exist here, so that the faults do not hit this part.
    const { jobheld, jobarrays, jobcheckpoints, joblogs, daemonlogs } = this.layout;
    for (const dir of [jobheld, jobarrays, jobcheckpoints, joblogs, daemonlogs]) fs.rmdirSync(dir);
  }

  // --- jobs

  /** @param seconds how long the job takes @returns the command line of the job */
  line(seconds: number, status: number | "checkpoint" | "second" = 0): string {
    return `${this.#job} ${this.witness} ${seconds} ${status}`;
  }

  /** The command line of a job that runs until the flag is raised. */
  lineUntil(flag: string): string {
    return `${this.#job} ${this.witness} ${this.#flag(flag)} 0`;
  }

  raise(flag: string): void {
    fs.writeFileSync(this.#flag(flag), "");
  }

  #flag(flag: string): string {
    return path.join(this.root, flag);
  }

  /** S1 by hand. The checker asks later for each job that was accepted. */
  submit(accepted: Accepted, line: string, more = ""): void {
    const retries = accepted.retries === undefined ? "" : `retries: ${accepted.retries}\n`;
    this.#rename(accepted.job, `[control]\nexecutable: ${line}\n${retries}${more}`);
    this.accepted.push(accepted);
  }

  /**
   * Does the same with an array. Each element counts as accepted.
   *
   * @param elementOf all facts about an element except its name
   */
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
    const temporary = this.layout.queued(`.${job}.${this.accepted.length}.tmp`);
    fs.writeFileSync(temporary, text);
    const then = Date.now() / 1000 - 15; // as fjord submit does
    fs.utimesSync(temporary, then, then);
    fs.renameSync(temporary, this.layout.queued(`${job}.ini`));
  }

  // --- processes

  worker(options: StartOptions = {}): RunningCommand {
    return this.command("worker", [], options);
  }

  /** A dispatcher that does not end when there are no jobs. */
  dispatcher(options: StartOptions = {}): RunningCommand {
    return this.command("dispatcher", ["--stay"], options);
  }

  command(name: CommandName, args: readonly string[], options: StartOptions = {}): RunningCommand {
    const { prefix = [], env = {}, mayFail = name === "recruiter" } = options;
    const line = [...prefix, process.execPath, binary(name), ...args, "--project", this.directory];
    const [program = "", ...rest] = line;
    const command = this.startProgram(program, rest, {
      // Tests that count calls need the same calls in each run.
      env: prefix.length === 0 ? env : withoutCoverage(env),
      longest: Number.POSITIVE_INFINITY,
    });
    this.#commands.push(command);
    if (mayFail) this.#mayFail.add(command);
    return command;
  }

  /**
   * The exit codes and outputs of the processes that ended with an error. The codes 0, 1 (jobs failed) and 130 (asked
   * to end) are not errors.
   */
  crashed(): string[] {
    return this.#commands
      .filter((command) => ![undefined, 0, 1, 130].includes(command.exitCode) && !this.#mayFail.has(command))
      .map((command) => `exit code ${command.exitCode}: ${command.output}`);
  }

  daemonLogs(): string {
    return this.list(this.layout.daemonlogs)
      .map((file) => this.read("daemonlogs", file))
      .join("");
  }

  desks(): string[] {
    return this.list(this.layout.jobpod).filter((name) => !name.startsWith("."));
  }

  /** Waits until this number of workers have an announcement and a desk. */
  async onDuty(count: number): Promise<void> {
    const isOnDuty = (id: string) => this.has("jobpod", id);
    await this.until(`${count} workers are on duty`, () => this.workers.filter(isOnDuty).length >= count);
  }

  // --- the history

  /** Accepted jobs that have not ended. */
  unended(): string[] {
    const ended = new Set([...this.files.done, ...this.files.failed, ...this.files.cancelled]);
    const open = this.accepted.filter(({ job, withdrawn }) => !withdrawn && !ended.has(`${job}.ini`));
    if (open.length === 0) return [];
    const cancelled = new Set(
      readArrays(this.directory).placed.flatMap(([job, place]) => (place === CANCELLED_NUMBER ? [job] : [])),
    );
    return open.filter(({ job }) => !cancelled.has(job)).map(({ job }) => job);
  }

  /** @param patience seconds */
  async untilEnded(patience?: number): Promise<void> {
    await until(
      "all jobs have ended",
      () => this.unended().length === 0,
      () => this.describe(),
      patience,
    );
  }

  override describe(): string {
    return [`unended: ${this.unended().join(" ")}`, super.describe(), ...this.crashed()].join("\n");
  }

  /** The runs that came to their end, as `JOB ATTEMPT`. */
  runsEnded(): string[] {
    return this.#witnessed("end").map(([job, attempt]) => `${job} ${attempt}`);
  }

  /** The pid of the current run. */
  running(job: string): number | undefined {
    const starts = this.#witnessed("start").filter(([name]) => name === job);
    return starts.map(([, , pid]) => Number(pid)).findLast(isAlive);
  }

  /** The words of the witness's lines: job, attempt, pid, uptime. */
  #witnessed(what: "start" | "end"): string[][] {
    if (!fs.existsSync(this.witness)) return [];
    const lines = fs.readFileSync(this.witness, "utf8").split("\n");
    return lines.filter((line) => line.startsWith(`${what} `)).map((line) => line.split(" ").slice(1));
  }

  async untilRunning(job: string): Promise<number> {
    return this.until(`${job} runs`, () => this.running(job));
  }

  // --- judgement and end

  /** Call this when all jobs have ended. It asks all processes to end, and lets the checker judge. */
  async closeDown(known: Partial<Known> = {}): Promise<void> {
    // A dispatcher takes back what dead workers hold.
    const isDispatching = (command: RunningCommand) =>
      command.isAlive && command.output.includes("[dispatcher]");
    if (!this.#commands.some(isDispatching)) this.dispatcher();
    await this.until("the jobs of dead workers are taken back", () => !this.#holdsDead());
    // A worker that is starting up is not fired with the others. The next try fires it.
    await this.until("nobody is on duty", async () => {
      const fired = await this.run("recruiter", ["fire", "--wait"]);
      if (fired.exitCode !== 0) throw new Error(`fire: ${fired.exitCode} ${fired.stderr}`);
      return this.list(this.layout.workerqueue).length === 0 && !this.#anyWorkerLives();
    });
    for (const command of this.#commands) command.kill("SIGINT");
    await this.until("no process is left", () => processesWith(this.directory).length === 0);
    this.judge({ over: true, oneHost: true, ...known });
  }

  #anyWorkerLives(): boolean {
    return processesWith(this.directory).some(({ command }) => /bin\/(?:hired-)?worker\.js/.test(command));
  }

  #holdsDead(): boolean {
    return this.desks().some((desk) => desk !== "retry" && !this.has("workerqueue", `${desk}.ini`));
  }

  /** Stops all processes while the checker judges, and then lets them go on. */
  async judgeNow(known: Partial<Known> = {}): Promise<void> {
    const daemons = processesWith(this.directory).filter(({ command }) => /bin\/[\w-]+\.js/.test(command));
    for (const { pid } of daemons) kill(pid, "SIGSTOP");
    try {
      const isStopped = (pid: number) => !"RSD".includes(stateOf(pid) ?? "Z");
      await until("all processes are stopped", () => daemons.every(({ pid }) => isStopped(pid)));
      this.judge(known);
    } finally {
      for (const { pid } of daemons) kill(pid, "SIGCONT");
    }
  }

  judge(known: Partial<Known> = {}): void {
    const { accepted, witness } = this;
    const violations = check(this.directory, { accepted, witness, over: false, ...known });
    const crashed = this.crashed();
    if (violations.length + crashed.length === 0) return;
    const found = violations.map(({ check, what }) => `${check}: ${what}`);
    throw new Error([...found, ...crashed, `seed ${SEED}, project ${this.directory}`].join("\n"));
  }

  /**
   * Kills all processes and removes everything. `FJORD_KEEP` keeps the directory of a failed test.
   *
   * @throws Error when a test that passed has left a process behind
   */
  async dispose(hasFailed: boolean): Promise<void> {
    const left = processesWith(this.root);
    for (const { pid } of left) kill(pid);
    await until("all processes are gone", () => left.every(({ pid }) => !isAlive(pid)));
    if (hasFailed && process.env.FJORD_KEEP !== undefined) return;
    fs.rmSync(this.directory, { recursive: true, force: true });
    this.remove();
    if (hasFailed || left.length === 0) return;
    throw new Error(`processes were left behind: ${left.map(({ command }) => command).join("; ")}`);
  }
}

/** Gives each test of the enclosing `describe` a project of its own. The test itself asks the checker to judge. */
export function witnessedProjectPerTest(
  settings: Readonly<Record<string, string>> = QUICK,
): () => WitnessedProject {
  let project: WitnessedProject;
  beforeEach(() => {
    project = new WitnessedProject(settings);
  });
  afterEach(async function () {
    await project.dispose(this.currentTest?.isFailed() ?? false);
  });
  return () => project;
}
