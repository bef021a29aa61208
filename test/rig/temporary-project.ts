import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { jobName } from "../../src/job/name.js";
import { type LedgerLine, parseLedger } from "../../src/ledger/line.js";
import { Project } from "../../src/library/project.js";
import { workerOfAnnouncement } from "../../src/project/entry-names.js";
import { Layout } from "../../src/project/layout.js";
import { openStore } from "../../src/store/open-store.js";
import type { Site } from "../../src/store/site.js";
import { binary, type CommandEnd, type CommandName, type CommandOptions, RunningCommand } from "./command.js";
import { isAlive, kill, type LiveProcess, processesWith } from "./processes.js";
import { REMOTE_JOB, RemoteJob } from "./remote-job.js";
import { siteOf } from "./site.js";
import { type Look, until } from "./until.js";

export type Ended = LedgerLine & { event: "ended" };

/** Settings with short times, so that tests are fast. The heartbeat keeps its default. */
const QUICK = "[fjord]\npoll = 0.3 s\ngrace = 0.5 s\nretry_backoff = 0.1 s\n";

/** Time in seconds that processes may take to end after an orderly shutdown. */
const PATIENCE = 15;

/** Variables that would lead a command to another project, or change its messages. */
const FOREIGN = /^(FJORD_|TMUX|STY$|SCREENDIR$|FORCE_COLOR$|NO_COLOR$|CI$)/;

/** Sorted names of the job files in the directory of each state. */
export class ProjectFiles {
  readonly #layout: Layout;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  get queued(): string[] {
    return namesIn(this.#layout.jobqueue);
  }

  get held(): string[] {
    return namesIn(this.#layout.jobheld);
  }

  get retrying(): string[] {
    return namesIn(this.#layout.retryDesk);
  }

  get done(): string[] {
    return namesIn(this.#layout.end("jobdone"));
  }

  get failed(): string[] {
    return namesIn(this.#layout.end("jobfailed"));
  }

  get cancelled(): string[] {
    return namesIn(this.#layout.end("jobcancelled"));
  }
}

/** Sorted; empty where there is no such directory. */
function namesIn(dir: string): string[] {
  try {
    return fs.readdirSync(dir).sort();
  } catch {
    return [];
  }
}

/**
 * A project below the system's temporary directory, with an `FJORD_HOME` and a `HOME` of its own. The real commands run in
 * it. `close` fires all workers, and fails when a process is left.
 */
export class TemporaryProject implements AsyncDisposable {
  /** Everything lies below this directory. Only processes of this project have it in their environment. */
  readonly root: string;
  /** `$FJORD_HOME`. */
  readonly home: string;
  /** The project itself, `$FJORD_PROJECT`. */
  readonly directory: string;
  /** The directory in which commands run. */
  readonly work: string;
  readonly layout: Layout;
  /** Access to the project for code that is tested without one of the commands. */
  readonly site: Site;
  readonly files: ProjectFiles;
  readonly env: NodeJS.ProcessEnv;
  readonly #running: RunningCommand[] = [];
  readonly #remoteJobs: RemoteJob[] = [];

  /**
   * @param settings the text of `settings.ini`
   * @param directory the project, where it must not lie below `root`
   */
  constructor(settings = QUICK, directory?: string) {
    this.root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-")));
    this.home = this.#make("home");
    this.directory = directory ?? this.#make("home/test");
    this.work = this.#make("work");
    this.layout = new Layout(this.directory);
    this.files = new ProjectFiles(this.layout);
    this.env = {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !FOREIGN.test(name))),
      HOME: this.#make("user"),
      FJORD_HOME: this.home,
      FJORD_PROJECT: this.directory,
      TMUX_TMPDIR: this.#make("tmux"),
      SCREENDIR: this.#make("screen", 0o700),
      TERM: "xterm",
    };
    for (const dir of this.layout.directories()) fs.mkdirSync(dir, { recursive: true });
    fs.writeFileSync(this.layout.settings, settings);
    this.site = siteOf(openStore(this.directory, "local"), this.layout);
  }

  #make(name: string, mode = 0o777): string {
    const dir = path.join(this.root, name);
    fs.mkdirSync(dir, { recursive: true, mode });
    return dir;
  }

  // --- commands

  /** Starts one of the commands. */
  start(name: CommandName, args: readonly string[] = [], options: CommandOptions = {}): RunningCommand {
    return this.startProgram(process.execPath, [binary(name), ...args], options);
  }

  /** Starts any program in the project's environment. */
  startProgram(program: string, args: readonly string[], options: CommandOptions = {}): RunningCommand {
    const command = new RunningCommand(program, args, {
      cwd: this.work,
      ...options,
      env: { ...this.env, ...options.env },
    });
    this.#running.push(command);
    return command;
  }

  /** Runs one of the commands to its end. */
  run(name: CommandName, args: readonly string[] = [], options: CommandOptions = {}): Promise<CommandEnd> {
    return this.start(name, args, options).end;
  }

  /** Hires workers with the real recruiter, and returns their ids. */
  async hire(count: number, ...args: string[]): Promise<string[]> {
    const hire = ["hire", String(count), "--json", ...args];
    const { exitCode, stdout, stderr } = await this.run("recruiter", hire);
    if (exitCode !== 0) throw new Error(`hire ended with ${exitCode}: ${stderr}`);
    return (JSON.parse(stdout) as { worker: { worker: string } }[]).map((hired) => hired.worker.worker);
  }

  // --- jobs

  /** Puts a job file into the queue as a program does: it writes the file elsewhere and renames it. */
  rename(file: string, text: string | Uint8Array, mode = 0o666): void {
    const elsewhere = path.join(this.work, `.${path.basename(file)}.new`);
    fs.writeFileSync(elsewhere, text, { mode });
    fs.renameSync(elsewhere, this.layout.queued(file));
  }

  /** Puts a job file into the queue as a person does: `cp`. */
  async copy(file: string, text: string | Uint8Array, mode = 0o666): Promise<void> {
    const elsewhere = path.join(this.work, "to-be-copied");
    fs.writeFileSync(elsewhere, text, { mode });
    await this.startProgram("cp", ["--", elsewhere, this.layout.queued(file)]).end;
    fs.unlinkSync(elsewhere);
  }

  /** A job that runs a command line. */
  job(name: string, executable: string, keys: Readonly<Record<string, string>> = {}): void {
    const lines = Object.entries({ executable, ...keys }).map(([key, value]) => `${key} = ${value}\n`);
    this.rename(`${name}.ini`, `[control]\n${lines.join("")}`);
  }

  /** Submits a job that waits for the test's orders. */
  async remoteJob(name: string, keys: Readonly<Record<string, string>> = {}): Promise<RemoteJob> {
    const job = await this.remote(name);
    this.job(name, job.commandLine, keys);
    return job;
  }

  /** Makes the same job, which the test submits itself. */
  async remote(name: string): Promise<RemoteJob> {
    const script = path.join(this.root, "remote-job.sh");
    if (!fs.existsSync(script)) fs.writeFileSync(script, REMOTE_JOB, { mode: 0o777 });
    const control = path.join(this.root, "control", name);
    const job = await RemoteJob.create(name, script, control, () => this.describe());
    this.#remoteJobs.push(job);
    return job;
  }

  // --- the state

  /** A path in the project's directory. */
  path(...names: string[]): string {
    return path.resolve(this.directory, ...names);
  }

  /** The names in a directory, sorted; empty where there is no such directory. */
  list(...names: string[]): string[] {
    return namesIn(this.path(...names));
  }

  has(...names: string[]): boolean {
    return fs.existsSync(this.path(...names));
  }

  /** A file's text; empty where there is no such file. */
  read(...names: string[]): string {
    try {
      return fs.readFileSync(this.path(...names), "utf8");
    } catch {
      return "";
    }
  }

  /** The names of the jobs that have ended. */
  get ends(): { done: string[]; failed: string[] } {
    return { done: this.files.done.map(jobName), failed: this.files.failed.map(jobName) };
  }

  /** The ids of the workers that have an announcement. */
  get workers(): string[] {
    return namesIn(this.layout.workerqueue)
      .map((file) => workerOfAnnouncement(file))
      .filter((id) => id !== undefined);
  }

  /** The lines of all ledgers, in the order of their times. */
  get ledger(): LedgerLine[] {
    return namesIn(this.layout.ledger)
      .flatMap((file) => parseLedger(fs.readFileSync(path.join(this.layout.ledger, file), "utf8")))
      .sort((a, b) => (a.t < b.t ? -1 : a.t > b.t ? 1 : 0));
  }

  /** The ledger's lines of one kind. @param job lines of this job only */
  events<E extends LedgerLine["event"]>(event: E, job?: string): (LedgerLine & { event: E })[] {
    return this.ledger.filter(
      (line): line is LedgerLine & { event: E } =>
        line.event === event && (job === undefined || ("job" in line && line.job === job)),
    );
  }

  /** The output of an attempt. */
  log(job: string, attempt = 1): string {
    return fs.readFileSync(this.layout.attemptLog(job, attempt), "utf8");
  }

  until<T>(what: string, look: () => Look<T> | Promise<Look<T>>): Promise<T> {
    return until(what, look, () => this.describe());
  }

  /** Waits until a job lies in `jobdone/` or `jobfailed/`. @returns the ledger's line of the last attempt */
  async ended(job: string): Promise<Ended> {
    return this.until(`job ${job} has ended`, () => {
      const { done, failed } = this.ends;
      if (!done.includes(job) && !failed.includes(job)) return undefined;
      return this.events("ended", job).at(-1);
    });
  }

  async gone(pid: number): Promise<void> {
    await this.until(`process ${pid} is gone`, () => !isAlive(pid));
  }

  /** The state of the project, for the error message of a wait that fails. */
  describe(): string {
    const rooms = ["jobqueue", "jobpod", "jobdone", "jobfailed", "workerqueue"].map((room) => {
      const entries = namesIn(this.path(room)).map((entry) => {
        const inside = namesIn(this.path(room, entry));
        return inside.length > 0 ? `${entry}/{${inside.join(", ")}}` : entry;
      });
      return `${room}: ${entries.join(" ")}`;
    });
    const ledger = this.ledger.slice(-15).map((line) => JSON.stringify(line));
    const logs = namesIn(this.layout.daemonlogs).flatMap((file) =>
      this.read("daemonlogs", file).split("\n").slice(-6),
    );
    const processes = processesWith(this.root).map(({ pid, command }) => `${pid} ${command}`);
    const parts = [...rooms, "--- ledger", ...ledger, "--- logs", ...logs, "--- processes", ...processes];
    return parts.join("\n");
  }

  // --- the end

  /**
   * Fires all workers, ends all processes and removes the directory.
   *
   * @param patience seconds that processes may take to end
   * @throws Error when a process is left then. The process is killed.
   */
  async close(patience = PATIENCE): Promise<void> {
    try {
      for (const command of this.#running) command.kill("SIGTERM");
      await Promise.all(this.#running.map((command) => command.exit));
      const left = await this.#fireAll(patience);
      if (left.length > 0) {
        const state = this.describe();
        for (const { pid } of left) kill(pid);
        const commands = left.map(({ pid, command }) => `${pid} ${command}`);
        throw new Error(`left behind after everybody was fired: ${commands.join("; ")}\n${state}`);
      }
    } finally {
      this.remove();
    }
  }

  protected remove(): void {
    for (const job of this.#remoteJobs) job.close();
    fs.rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }

  async #fireAll(patience: number): Promise<readonly LiveProcess[]> {
    const deadline = performance.now() + patience * 1000;
    const projects = [this.directory, ...namesIn(this.home).map((name) => path.join(this.home, name))];
    for (const project of projects) {
      if (namesIn(path.join(project, "workerqueue")).length === 0) continue;
      // The test may have left settings that cannot be read.
      fs.writeFileSync(path.join(project, "settings.ini"), QUICK);
      await (await Project.open(project, this.env)).fire({ now: true });
    }
    for (;;) {
      const left = processesWith(this.root);
      if (left.length === 0 || performance.now() > deadline) return left;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
