import os from "node:os";
import type pino from "pino";
import { formatDuration } from "../job/duration.js";
import type { Job } from "../job/job.js";
import { jobName } from "../job/name.js";
import { describeOutcome, type Outcome, outcomeOfStatus } from "../job/outcome.js";
import { resolvePath } from "../job/written-path.js";
import type { Layout } from "../project/layout.js";
import type { Settings } from "../project/settings.js";
import type { Claimed } from "../spool/finish.js";
import { look } from "../spool/intake.js";
import type { JobOwners } from "../spool/job-owners.js";
import type { Ledger } from "../spool/ledger.js";
import type { Lock, Locksmith } from "../spool/lock.js";
import { refuse } from "../spool/refuse.js";
import { isErrno, type Store } from "../spool/store.js";
import { canEnter, cannotEnter } from "./command.js";
import type { Launcher, RunEnd } from "./launcher.js";
import { discard, publish } from "./publish.js";
import { readResult } from "./result.js";
import { ResultFile } from "./result-file.js";

/** What an attempt needs of its worker. */
export interface Bench {
  readonly store: Store;
  readonly layout: Layout;
  readonly settings: Settings;
  readonly ledger: Ledger;
  readonly locksmith: Locksmith;
  readonly owners: JobOwners;
  readonly log: pino.Logger;
  readonly worker: string;
  /** Where it was hired: command lines are relative to it. */
  readonly directory: string;
  launcher(): Launcher;
  /** Kills the launcher's group; the next `launcher()` is a fresh one. */
  killLauncher(): Promise<void>;
  /** Seconds until the worker's job is to be dead, if no heartbeat comes before (S10). */
  readonly timeLeft: number;
  /** Whether the heartbeat has been silent since then for so long that the worker may have been declared lost; monotonic, ms. */
  mayBeFenced(since?: number): boolean;
  /** Says that the store takes nothing, until something else is said. */
  stall(error: unknown): void;
}

/**
 * What became of a look at a job on the desk. `passed`: somebody else has it.
 * `desk-gone`: the worker was declared lost.
 */
export type AttemptEnd = "done" | "passed" | "desk-gone";

/** Why a job is stopped. `fired`: it goes back to the queue; `cancelled`: it does not. */
type StopReason = "fired" | "cancelled" | "timed-out" | "fenced";

/** Exit codes for what goes wrong around a job: a shell's, and sysexits(3). */
const CANNOT_ENTER = 126;
const CANNOT_CREATE = 73;
const IO_ERROR = 74;

/** How the command line ended. `problem`: the exit code for what went wrong around it. */
interface Run {
  readonly end: RunEnd;
  readonly memory: number | null;
  readonly problem: number | undefined;
}

/** One run of one job on one desk: S3, S5, S6. */
export class Attempt {
  readonly file: string;
  readonly job: string;
  readonly started: Date;
  number = 0;
  readonly #bench: Bench;
  readonly #path: string;
  /** When it was begun with, monotonic, ms. */
  readonly #begun: number;
  #stop: StopReason | undefined;
  /** Who cancelled it. */
  #cancelledBy = "";
  #stopped: Promise<void> | undefined;
  /** The job has ended: there is nothing left to stop. */
  #over = false;
  #markEnded: () => void = () => undefined;
  readonly #ended = new Promise<void>((resolve) => {
    this.#markEnded = resolve;
  });
  /** What is held on the desk, once it has been read. */
  claimed: Claimed | undefined;

  constructor(bench: Bench, file: string) {
    this.#bench = bench;
    this.started = new Date(bench.store.clock.wall());
    this.#begun = bench.store.clock.now();
    this.file = file;
    this.job = jobName(file);
    this.#path = bench.layout.onDesk(bench.worker, file);
  }

  /**
   * @param onStart called once the attempt has its number and is about to run
   * @throws ErrnoException when the store takes nothing before the start: the job stays on the desk
   */
  async carryOut(onStart: (attempt: this) => void): Promise<AttemptEnd> {
    let lock: Lock | undefined;
    try {
      lock = await this.#bench.locksmith.lock(this.#path, () => this.#lockLost());
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENOTDIR")) return "desk-gone";
      throw error;
    }
    if (lock === undefined) return "passed";
    try {
      return await this.#claimed(onStart);
    } finally {
      await lock.release();
    }
  }

  /**
   * Stops the job's whole process group: SIGTERM, and after the grace time SIGKILL. `fenced` gets no grace: another
   * worker may start the job any moment.
   */
  stop(why: StopReason): Promise<void> {
    if (this.#over) return Promise.resolve();
    this.#stop ??= why;
    if (why === "fenced" && this.#stopped !== undefined) return this.#bench.killLauncher(); // no grace any more
    this.#stopped ??= this.#kill(why === "fenced" ? 0 : this.#bench.settings.grace);
    return this.#stopped;
  }

  /** @param by who asked for it: `user@host` */
  cancel(by: string): Promise<void> {
    this.#cancelledBy ||= by;
    return this.stop("cancelled");
  }

  async #kill(grace: number): Promise<void> {
    const launcher = this.#bench.launcher();
    if (grace > 0) {
      launcher.signal("SIGTERM");
      launcher.signal("SIGCONT");
      const timer = new AbortController();
      await Promise.race([this.#ended, this.#bench.store.clock.sleep(grace * 1000, timer.signal)]);
      timer.abort();
    }
    await this.#bench.killLauncher();
  }

  /** S10: somebody removed or took over the lock. If the job is no longer on this desk, it is not ours to run. */
  #lockLost(): void {
    void this.#bench.store.has(this.#path).then(
      (here) => (here ? undefined : this.stop("fenced")),
      () => undefined,
    );
  }

  async #claimed(onStart: (attempt: this) => void): Promise<AttemptEnd> {
    const { store, layout, ledger, log, worker } = this.#bench;
    // Asked once more, of the file that is run: it may be another by now, and the dispatcher another user.
    const found = await look(store, this.#path, this.file, undefined, this.#bench.owners);
    if (found.kind === "gone" || found.kind === "unsettled") return "passed";
    if (found.kind === "refused") {
      log.warn({ job: this.job, reason: found.reason }, "refused");
      await refuse(store, layout, ledger, this.#path, found.reason);
      return "done";
    }
    const { ino, mtimeMs, bytes, mode } = found;
    this.claimed = { worker, file: this.file, ino, mtimeMs, bytes, mode };
    const attemptLog = await this.#number();
    // S10: it may have taken so long to come here that the worker was declared lost, and the job is another's.
    if (this.#bench.mayBeFenced(this.#begun)) {
      await store.unlink(attemptLog).catch(() => undefined);
      return "passed";
    }
    try {
      const log = attemptLog.slice(layout.root.length + 1);
      await ledger.append({ event: "started", job: this.job, attempt: this.number, worker, log });
    } catch (error) {
      await store.unlink(attemptLog).catch(() => undefined); // not started: the number is still to be had
      throw error;
    }
    // Again: it may have been stopped while it told.
    if (this.#bench.mayBeFenced(this.#begun)) {
      await discard(this.#bench, { job: this.job, attempt: this.number, worker }, "its worker may be lost");
      return "passed";
    }
    onStart(this);
    await this.#run(found.job, found.ctimeMs, this.claimed, attemptLog);
    return "done";
  }

  /** Takes the next attempt number of this job: the log of that number is created by whoever comes first. */
  async #number(): Promise<string> {
    const { store, layout } = this.#bench;
    for (this.number = 1; ; this.number++) {
      const path = layout.attemptLog(this.job, this.number);
      try {
        await store.create(path, "", false);
        return path;
      } catch (error) {
        if (!isErrno(error, "EEXIST")) throw error;
      }
    }
  }

  async #run(job: Job, since: number, claimed: Claimed, attemptLog: string): Promise<void> {
    const { store, layout } = this.#bench;
    const begin = store.clock.now();
    const { end, memory, problem } = await this.#execute(job, attemptLog);
    await this.#settle();
    const outcome = this.#outcome(end, problem, job);
    const seconds = (store.clock.now() - begin) / 1000;
    const told = await readResult(store, layout.resultOf(this.job, this.number), since);
    if (outcome.kind === "requeued") await this.#append(attemptLog, `fjord: ${describeOutcome(outcome)}`);
    if (told.problem !== undefined) await this.#append(attemptLog, told.problem);
    await publish(this.#bench, job, claimed, {
      job: this.job,
      attempt: this.number,
      outcome,
      start: this.started,
      end: new Date(store.clock.wall()),
      seconds,
      cpu: end.kind === "exited" ? end.cpu : null,
      memory,
      result: told.result,
    });
  }

  /** The job has ended; if it is being stopped, nothing that belongs to it writes any more when this comes back. */
  async #settle(): Promise<void> {
    this.#over = true;
    this.#markEnded();
    await this.#stopped;
  }

  async #execute(job: Job, attemptLog: string): Promise<Run> {
    const { directory, layout, settings } = this.#bench;
    const workdir = job.workdir === undefined ? directory : resolvePath(directory, job.workdir, os.homedir());
    const logfile = job.logfile === undefined ? undefined : resolvePath(workdir, job.logfile, os.homedir());
    // Before the logfile's directory is made, which would make a mistyped workdir.
    if (job.workdir !== undefined && !canEnter(workdir)) {
      return this.#notRun(attemptLog, new Error(cannotEnter(workdir)), CANNOT_ENTER);
    }
    let result: ResultFile | undefined;
    try {
      if (logfile !== undefined) result = ResultFile.prepare(logfile);
    } catch (error) {
      return this.#notRun(attemptLog, error, CANNOT_CREATE);
    }
    const launcher = this.#bench.launcher();
    const { clock } = this.#bench.store;
    const callOff = job.timeout && clock.after(job.timeout * 1000, () => void this.stop("timed-out"));
    const watch = launcher.watchMemory(settings.beat * 1000);
    launcher.watch(this.#bench.timeLeft); // before the job: this process may be stopped right after it
    const end = await launcher.run({
      line: job.kind === "command" ? job.executable : undefined,
      jobFile: this.#path,
      directory: workdir === launcher.directory ? undefined : workdir,
      log: attemptLog,
      nice: job.nice,
      environment: {
        FJORD_JOB: this.job,
        FJORD_JOB_FILE: this.#path,
        FJORD_LOGFILE: logfile ?? "",
        FJORD_ATTEMPT: String(this.number),
        FJORD_PROGRESS: layout.progressOf(this.job, this.number),
        FJORD_RESULT: layout.resultOf(this.job, this.number),
        FJORD_CHECKPOINT_DIR: layout.checkpointOf(this.job),
      },
    });
    if (callOff) callOff();
    const memory = watch.stop();
    await this.#settle();
    const why = this.#whyStopped(job);
    if (why !== undefined) await this.#append(attemptLog, why);
    try {
      result?.complete(attemptLog);
      return { end, memory, problem: undefined };
    } catch (error) {
      await this.#note(attemptLog, error);
      return { end, memory, problem: IO_ERROR };
    }
  }

  async #notRun(attemptLog: string, error: unknown, status: number): Promise<Run> {
    await this.#note(attemptLog, error);
    return { end: { kind: "exited", status, cpu: null }, memory: null, problem: status };
  }

  /** What fjord itself has to say of an attempt goes where people look first: into what the job printed. */
  async #note(attemptLog: string, error: unknown): Promise<void> {
    const message = error instanceof Error ? error.message : String(error);
    this.#bench.log.warn({ job: this.job }, message);
    await this.#append(attemptLog, message);
  }

  /** A line of its own, whatever the job printed last. */
  async #append(attemptLog: string, line: string): Promise<void> {
    const { store } = this.#bench;
    try {
      const isAtStart = ["", "\n"].includes(await store.tail(attemptLog, 1));
      const appender = await store.appender(attemptLog);
      await appender.append(`${isAtStart ? "" : "\n"}${line}\n`).finally(() => appender.close());
    } catch {
      // the daemon's log has it, too
    }
  }

  /** What the log should say of a job that fjord itself stopped. One that was fenced is no longer this worker's. */
  #whyStopped(job: Job): string | undefined {
    if (this.#stop === "timed-out") return `fjord: timed out after ${formatDuration(job.timeout ?? 0)}`;
    if (this.#stop === "fired") return "fjord: stopped: its worker was fired; the job goes back to the queue";
    if (this.#stop === "cancelled") return `fjord: cancelled by ${this.#cancelledBy}`;
    return undefined;
  }

  #outcome(end: RunEnd, problem: number | undefined, job: Job): Outcome {
    if (this.#stop === "fired") return { kind: "cancelled", reason: "its worker was fired" };
    if (this.#stop === "cancelled") {
      return { kind: "cancelled", reason: `by ${this.#cancelledBy}`, by: this.#cancelledBy };
    }
    if (this.#stop === "fenced") return { kind: "lost" };
    // Also when its time was up: it has used the grace to write its checkpoint.
    if (end.kind === "exited" && problem === undefined && end.status === job.requeueExit) {
      return { kind: "requeued", code: end.status };
    }
    if (this.#stop === "timed-out") return { kind: "timed-out", after: job.timeout ?? 0 };
    if (end.kind === "shell-died") {
      return end.byGuardian ? { kind: "lost" } : { kind: "failed", code: 137, signal: "SIGKILL" };
    }
    return outcomeOfStatus(end.status === 0 && problem !== undefined ? problem : end.status);
  }
}
