import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Project } from "../../src/compose/project.js";
import { jobName } from "../../src/job/name.js";
import { Layout } from "../../src/project/layout.js";
import { type LedgerLine, parseLedger } from "../../src/spool/ledger.js";
import { binary, type CommandEnd, type CommandName, type CommandOptions, RunningCommand } from "./command.js";
import { isAlive, kill, processesWith } from "./processes.js";
import { REMOTE_JOB, RemoteJob } from "./remote-job.js";
import { type Look, until } from "./until.js";

export type Ended = LedgerLine & { event: "ended" };

/** Quick where a person would wait; the heart beats as it does for everybody. */
const QUICK = "[fjord]\npoll = 0.3 s\ngrace = 0.5 s\nretry_backoff = 0.1 s\n";

/** Seconds that processes may take to go after an orderly end. */
const PATIENCE = 15;

/** Variables that would lead a command out of its temporary world, or change what it says. */
const FOREIGN = /^(FJORD_|TMUX|STY$|SCREENDIR$|FORCE_COLOR$|NO_COLOR$|CI$)/;

/**
 * A project of its own below the system's temporary directory, with its own `FJORD_HOME` and `HOME`; the real
 * commands run in it. `close` fires everybody and fails when something is left behind.
 */
export class TemporaryProject implements AsyncDisposable {
  /** Everything lies below it: nothing but this project's processes carries it in their environment. */
  readonly root: string;
  /** `$FJORD_HOME`. */
  readonly home: string;
  /** The project itself, `$FJORD_PROJECT`. */
  readonly directory: string;
  /** Where commands are run. */
  readonly work: string;
  readonly layout: Layout;
  readonly env: NodeJS.ProcessEnv;
  readonly #running: RunningCommand[] = [];
  readonly #remoteJobs: RemoteJob[] = [];

  /** @param settings the text of `settings.ini` */
  constructor(settings = QUICK) {
    this.root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-")));
    this.home = this.#make("home");
    this.directory = this.#make("home/test");
    this.work = this.#make("work");
    this.layout = new Layout(this.directory);
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

  /** Starts any program in the project's world. */
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

  /** Hires workers by the real recruiter; gives their ids. */
  async hire(count: number, ...args: string[]): Promise<string[]> {
    const { exitCode, stdout, stderr } = await this.run("recruiter", [
      "hire",
      String(count),
      "--json",
      ...args,
    ]);
    if (exitCode !== 0) throw new Error(`hire ended with ${exitCode}: ${stderr}`);
    return (JSON.parse(stdout) as { worker: { worker: string } }[]).map((hired) => hired.worker.worker);
  }

  // --- jobs

  /** Puts a job file into the queue as a program does: written elsewhere, renamed in. */
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

  /** A job that waits to be told what to do. */
  async remoteJob(name: string, keys: Readonly<Record<string, string>> = {}): Promise<RemoteJob> {
    const job = await this.remote(name);
    this.job(name, job.commandLine, keys);
    return job;
  }

  /** The same, for the test to submit. */
  async remote(name: string): Promise<RemoteJob> {
    const script = path.join(this.root, "remote-job.sh");
    if (!fs.existsSync(script)) fs.writeFileSync(script, REMOTE_JOB, { mode: 0o777 });
    const control = path.join(this.root, "control", name);
    const job = await RemoteJob.create(name, script, control, () => this.describe());
    this.#remoteJobs.push(job);
    return job;
  }

  // --- what there is

  list(dir: string): string[] {
    try {
      return fs.readdirSync(dir).sort();
    } catch {
      return [];
    }
  }

  /** The jobs that have ended, by where they lie. */
  get ends(): { done: string[]; failed: string[] } {
    const names = (dir: string) => this.list(dir).map(jobName);
    return { done: names(this.layout.end("jobdone")), failed: names(this.layout.end("jobfailed")) };
  }

  get workers(): string[] {
    return this.list(this.layout.workerqueue)
      .map((file) => this.layout.workerOf(file))
      .filter((id) => id !== undefined);
  }

  /** All ledgers' lines, in the order of their times. */
  get ledger(): LedgerLine[] {
    return this.list(this.layout.ledger)
      .flatMap((file) => parseLedger(fs.readFileSync(path.join(this.layout.ledger, file), "utf8")))
      .sort((a, b) => (a.t < b.t ? -1 : a.t > b.t ? 1 : 0));
  }

  /** The ledger's lines of one kind, of one job if said. */
  events<E extends LedgerLine["event"]>(event: E, job?: string): (LedgerLine & { event: E })[] {
    return this.ledger.filter(
      (line): line is LedgerLine & { event: E } =>
        line.event === event && (job === undefined || ("job" in line && line.job === job)),
    );
  }

  /** What an attempt printed. */
  log(job: string, attempt = 1): string {
    return fs.readFileSync(this.layout.attemptLog(job, attempt), "utf8");
  }

  until<T>(what: string, look: () => Look<T> | Promise<Look<T>>): Promise<T> {
    return until(what, look, () => this.describe());
  }

  /** Waits until a job lies in `jobdone/` or `jobfailed/`; gives its last attempt's line of the ledger. */
  async ended(job: string): Promise<Ended> {
    return this.until(`job ${job} has ended`, () => {
      const { done, failed } = this.ends;
      if (!done.includes(job) && !failed.includes(job)) return undefined;
      return this.events("ended", job).at(-1);
    });
  }

  /** Waits until nothing of a process is left. */
  async gone(pid: number): Promise<void> {
    await this.until(`process ${pid} is gone`, () => !isAlive(pid));
  }

  /** Everything that helps to see why a test waits in vain. */
  describe(): string {
    const rooms = ["jobqueue", "jobpod", "jobdone", "jobfailed", "workerqueue"].map((room) => {
      const entries = this.list(path.join(this.directory, room)).map((entry) => {
        const inside = this.list(path.join(this.directory, room, entry));
        return inside.length > 0 ? `${entry}/{${inside.join(", ")}}` : entry;
      });
      return `${room}: ${entries.join(" ")}`;
    });
    const ledger = this.ledger.slice(-15).map((line) => JSON.stringify(line));
    const logs = this.list(this.layout.daemonlogs).flatMap((file) =>
      fs.readFileSync(path.join(this.layout.daemonlogs, file), "utf8").split("\n").slice(-6),
    );
    const processes = processesWith(this.root).map(({ pid, command }) => `${pid} ${command}`);
    const parts = [...rooms, "--- ledger", ...ledger, "--- logs", ...logs, "--- processes", ...processes];
    return parts.join("\n");
  }

  // --- the end

  /**
   * Ends everything in order and removes the directory.
   *
   * @param patience seconds that processes may take to go
   * @throws Error when a process is left behind then: it is killed, but it should not have been there
   */
  async close(patience = PATIENCE): Promise<void> {
    try {
      for (const command of this.#running) if (!command.hasEnded) command.kill("SIGTERM");
      await Promise.all(this.#running.map((command) => command.exit));
      const left = await this.#fireAll(patience);
      if (left.length > 0) {
        const state = this.describe();
        for (const { pid } of left) kill(pid, "SIGKILL");
        throw new Error(
          `left behind after everybody was fired: ${left.map(({ pid, command }) => `${pid} ${command}`).join("; ")}\n${state}`,
        );
      }
    } finally {
      for (const job of this.#remoteJobs) job.close();
      fs.rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  async #fireAll(patience: number): Promise<readonly { pid: number; command: string }[]> {
    const deadline = performance.now() + patience * 1000;
    for (const entry of [this.directory, ...this.list(this.home).map((name) => path.join(this.home, name))]) {
      if (this.list(path.join(entry, "workerqueue")).length === 0) continue;
      // A test may have left settings that nobody can read.
      fs.writeFileSync(path.join(entry, "settings.ini"), QUICK);
      await (await Project.open(entry, this.env)).fire({ now: true });
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
