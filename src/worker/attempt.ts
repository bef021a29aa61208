import { jobName } from "../job/name.js";
import { describeOutcome } from "../job/outcome.js";
import type { LedgerEvent } from "../ledger/line.js";
import { LAST_CLAIMED, tails } from "../ledger/tails.js";
import { carryOutCancelRequest } from "../spool/cancel-request.js";
import type { Claimed } from "../spool/finish.js";
import type { Lock } from "../spool/lock.js";
import { type JobFileReading, readJobFile } from "../spool/read-job-file.js";
import { refuse } from "../spool/refuse.js";
import { ifThere } from "../store/file-facts.js";
import { stampOf } from "../store/stamp.js";
import { AttemptLog } from "./attempt-log.js";
import type { RunRequest } from "./command.js";
import type { Duty } from "./duty.js";
import { complete, type Execution, type Prepared, paramsOf, prepare, report } from "./execute.js";
import type { ClaimedAttempt } from "./lane.js";
import { publish, untilTaken } from "./publish.js";
import { readResult } from "./result.js";
import type { RanEnd, RunEnd } from "./runner.js";
import { outcomeOf, type Stop } from "./stop.js";
import { logfileOf, type Unfit } from "./surroundings.js";

/**
 * The result of a claim. `passed`: another process has the job, or may have it. `refused`: the file cannot be a job. `desk-gone`: the
 * worker was declared lost.
 */
export type ClaimEnd = "claimed" | "passed" | "refused" | "desk-gone";

/** Shortest time limit, in seconds, of a job that may wait behind others. Its limit is noticed a little late there. */
const SHORTEST_LIMIT = 1;

/** A claimed job: S3. */
interface Claim {
  readonly lock: Lock;
  readonly execution: Execution;
  readonly logfile: string | undefined;
  readonly claimed: Claimed;
  /** Change time of the job file, ms, by the store's clock. An older result is of another attempt. */
  readonly since: number;
  /** Identity of the run, and the stamp of the job file that it has claimed. */
  readonly run: { readonly run: string; readonly stamp: string };
  /** S5: tells the start of the run. */
  readonly started: LedgerEvent;
}

/** One run of one job on one desk: S3, S5, S6. First comes `claim`, then `prepare` and `settle`, or `release`. */
export class Attempt implements ClaimedAttempt {
  readonly file: string;
  readonly job: string;
  started: Date;
  readonly #duty: Duty;
  readonly #path: string;
  /** Monotonic time when the worker turned to this job, ms. */
  readonly #turnedTo: number;
  /** Monotonic time since which the job has run, as far as it is known, ms. */
  #runsSince: number;
  #claim: Claim | undefined;
  #prepared: Prepared | Unfit | undefined;
  #stop: Stop | undefined;
  /** Resolves when the job that is being stopped is dead. */
  #killing: Promise<void> | undefined;
  /** Whether the job has ended. After that `stop` does nothing. */
  #isOver = false;
  /** Ends the grace time of a job that is being stopped. Made only then, because an abort for each job would cost CPU time. */
  #graceTime: AbortController | undefined;
  /** Whether the claim was given back because the job did not begin. */
  #hasNotBegun = false;
  #callOffTimeout: (() => void) | undefined;
  #memory: { stop(): number | null } | undefined;

  constructor(duty: Duty, file: string) {
    this.#duty = duty;
    this.started = new Date(duty.store.clock.wall());
    this.#turnedTo = duty.store.clock.now();
    this.#runsSince = this.#turnedTo;
    this.file = file;
    this.job = jobName(file);
    this.#path = duty.layout.onDesk(duty.id, file);
  }

  /** Number of the attempt, from 1; 0 before it is known. */
  get number(): number {
    return this.#claim?.execution.log.number ?? 0;
  }

  get claimed(): Claimed | undefined {
    return this.#claim?.claimed;
  }

  get logfile(): string | undefined {
    return this.#claim?.logfile;
  }

  get timeout(): number | undefined {
    return this.#claim?.execution.job.timeout;
  }

  /**
   * Whether the worker must have no other job while this one runs. After a loss a job runs alone, so that a job which kills its
   * worker does not use up the `lost_limit` of others.
   */
  get isAlone(): boolean {
    return this.number > 1 || (this.timeout ?? SHORTEST_LIMIT) < SHORTEST_LIMIT;
  }

  /** S10: whether this worker may have been declared lost since it turned to the job. */
  get isLate(): boolean {
    return this.#duty.mayBeFenced(this.#turnedTo);
  }

  /**
   * S3: locks the job, reads it and takes the number of its attempt.
   *
   * @throws ErrnoException when the store fails. The job stays on the desk.
   */
  async claim(): Promise<ClaimEnd> {
    const { store, layout, id, locksmith } = this.#duty;
    const lock = await ifThere(
      locksmith.lock(this.#path, () => this.#lockLost()),
      "not-there",
    );
    // The lock itself may be what is not there: after trouble with the store, the removal of an earlier lock may come late.
    if (lock === "not-there") return (await store.has(layout.desk(id))) ? "passed" : "desk-gone";
    if (lock === undefined) return "passed";
    let end: ClaimEnd | undefined;
    try {
      end = await this.#claimWith(lock);
    } finally {
      if (end !== "claimed") await lock.release();
    }
    return end;
  }

  /** Gives the claim back, since the job does not begin. */
  async release(): Promise<void> {
    await this.#claim?.execution.log.remove();
    await this.#claim?.lock.release();
  }

  /** S5: checks what the job needs. @returns false if it cannot run on this host now, which `settle` tells */
  prepare(): boolean {
    this.#prepared = prepare(this.#duty, this.#mine.execution);
    return this.#prepared.kind === "ready";
  }

  get request(): RunRequest | undefined {
    return this.#prepared?.kind === "ready" ? this.#prepared.request : undefined;
  }

  becomeCurrent(onTimeout: () => void): void {
    const { store, settings } = this.#duty;
    this.started = new Date(store.clock.wall());
    this.#runsSince = store.clock.now();
    if (this.timeout) this.#callOffTimeout = store.clock.after(this.timeout * 1000, onTimeout);
    if (this.#prepared?.kind === "ready")
      this.#memory = this.#prepared.runner.watchMemory(settings.beat * 1000);
  }

  async settle(end: RunEnd | undefined): Promise<void> {
    this.#callOffTimeout?.();
    const memory = this.#memory?.stop() ?? null;
    const ran =
      end?.kind === "exited" ? end : end === undefined ? await this.#tellUnfit() : await this.#ranTo(end);
    if (ran === undefined) {
      this.#isOver = true;
      this.#hasNotBegun = true;
      this.#graceTime?.abort();
      await this.#cancelIfAsked();
      await this.release();
      if (end?.kind === "unrecorded") throw this.#unrecorded();
      return;
    }
    try {
      await this.#finish(ran, memory);
    } finally {
      await this.#mine.lock.release();
    }
  }

  /**
   * Stops the job's whole process group: SIGTERM, and after the grace time SIGKILL. A fenced job gets no grace time, because
   * another worker may start the job at any moment. No other job may wait in the runner.
   */
  stop(why: Stop): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    this.#stop ??= why;
    if (why.kind === "fenced" && this.#killing !== undefined) return this.#duty.runner.kill(); // ends the grace time
    this.#killing ??= this.#kill(why.kind === "fenced" ? 0 : this.#duty.settings.grace);
    return this.#killing;
  }

  async #kill(grace: number): Promise<void> {
    const { runner, store } = this.#duty;
    if (grace > 0) {
      runner.signal("SIGTERM");
      runner.signal("SIGCONT");
      this.#graceTime = new AbortController();
      await store.clock.sleep(grace * 1000, this.#graceTime.signal);
      if (this.#hasNotBegun) return;
    }
    await runner.kill();
  }

  /** S10: somebody removed or took over the lock. If the job is no longer on this desk, this worker must not run it. */
  #lockLost(): void {
    void this.#duty.store.has(this.#path).then(
      (isHere) => (isHere ? undefined : this.#duty.lane.stop({ kind: "fenced" }, this.file)),
      () => undefined,
    );
  }

  get #mine(): Claim {
    if (this.#claim === undefined) throw new Error(`${this.job} has not been claimed`);
    return this.#claim;
  }

  /** Reads the job again, since the file may have been replaced after the dispatcher read it. */
  async #claimWith(lock: Lock): Promise<ClaimEnd> {
    const { store, log, owners } = this.#duty;
    const found = await readJobFile(store, this.#path, this.file, undefined, owners);
    switch (found.kind) {
      case "gone":
      case "unsettled":
        return "passed";
      case "refused":
        log.warn({ job: this.job, reason: found.reason }, "refused");
        await refuse(this.#duty, this.#path, found.reason);
        return "refused";
      case "valid":
        this.#claim = await this.#claimOf(lock, found);
        return "claimed";
      default:
        return found satisfies never;
    }
  }

  async #claimOf(lock: Lock, found: JobFileReading & { kind: "valid" }): Promise<Claim> {
    const { id: worker, ledger } = this.#duty;
    const { job, ino, mtimeMs, bornMs, bytes, mode } = found;
    const { variables, problems } = paramsOf(job, this.job, bytes);
    const log = await AttemptLog.create(this.#duty, this.job);
    for (const problem of problems) await log.append(problem);
    const run = { run: this.#duty.newRun(), stamp: stampOf(found) };
    const name = { job: this.job, attempt: log.number, run: run.run, worker };
    const started = { event: "started", ...name, log: log.name, stamp: run.stamp } as const;
    return {
      lock,
      logfile: logfileOf(job, this.#duty.directory),
      execution: { job, name: this.job, file: this.#path, log, variables, started: ledger.lineOf(started) },
      claimed: { worker, file: this.file, ino, mtimeMs, bornMs, bytes, mode },
      since: found.ctimeMs,
      run,
      started,
    };
  }

  /** @returns undefined if the job did not begin. A shell that died may have died before it wrote the line `started`. */
  async #ranTo(end: Exclude<RunEnd, { kind: "exited" }>): Promise<RanEnd | undefined> {
    const { store, ledger } = this.#duty;
    switch (end.kind) {
      case "skipped":
      case "unrecorded":
        return undefined;
      case "shell-died": {
        const named = `"run":${JSON.stringify(this.#mine.run.run)},`;
        const read = (size: number) => store.tail(ledger.path, size).catch(() => named);
        for await (const text of tails(read, LAST_CLAIMED)) if (text.includes(named)) return end;
        return undefined;
      }
      default:
        return end satisfies never;
    }
  }

  /** S5: tells the start and the end of a job that cannot run on this host. */
  async #tellUnfit(): Promise<RanEnd> {
    const { execution, started } = this.#mine;
    const { store, ledger } = this.#duty;
    if (this.#prepared?.kind !== "unfit") throw new Error(`${this.job} was not prepared`);
    const { message, status } = this.#prepared;
    await untilTaken(this.#duty, () => ledger.append(started));
    await report(this.#duty, execution, message);
    return { kind: "exited", status, cpu: null, seconds: 0, end: store.clock.now() };
  }

  /** S4: cancels the job in its place if its worker was asked to stop it, and it had not begun. */
  async #cancelIfAsked(): Promise<void> {
    if (this.#stop?.kind !== "cancelled") return;
    const request = { what: "cancel", file: this.file, by: this.#stop.by } as const;
    await untilTaken(this.#duty, () => carryOutCancelRequest(this.#duty, request, this.#path, 0));
  }

  /** The store has taken no line from the launcher shell, as when the disk is full. */
  #unrecorded(): NodeJS.ErrnoException {
    const { ledger } = this.#duty;
    ledger.noteTorn();
    return Object.assign(new Error(`EIO: the launcher shell could not append to ${ledger.path}`), {
      code: "EIO",
    });
  }

  async #finish(end: RanEnd, memory: number | null): Promise<void> {
    const { execution, claimed, since, run } = this.#mine;
    const { job, log } = execution;
    const { store, layout } = this.#duty;
    this.#isOver = true;
    this.#graceTime?.abort();
    if (this.#killing !== undefined) await this.#killing; // after that its processes can write nothing more
    const stop = this.#stop;
    const problem = await this.#complete(end, stop);
    const outcome = outcomeOf(end, stop, problem, job.requeueExit);
    const told = await readResult(store, layout.resultOf(this.job, log.number), since);
    if (outcome.kind === "requeued") await log.append(`fjord: ${describeOutcome(outcome)}`);
    if (told.problem !== undefined) await log.append(told.problem);
    const times = this.#timesOf(end);
    await publish(this.#duty, job, claimed, {
      job: this.job,
      attempt: log.number,
      run: run.run,
      stamp: run.stamp,
      outcome,
      start: times.start,
      end: times.end,
      seconds: times.seconds,
      cpu: end.kind === "exited" ? end.cpu : null,
      memory,
      result: told.result,
    });
  }

  /** @returns exit code for a failure of fjord's own work around the command line */
  async #complete(end: RanEnd, stop: Stop | undefined): Promise<number | undefined> {
    const prepared = this.#prepared;
    if (prepared?.kind === "ready") return complete(this.#duty, this.#mine.execution, prepared, end, stop);
    return prepared?.status;
  }

  #timesOf(end: RanEnd): { readonly start: Date; readonly end: Date; readonly seconds: number } {
    const { clock } = this.#duty.store;
    if (end.kind !== "exited") {
      return {
        start: this.started,
        end: new Date(clock.wall()),
        seconds: (clock.now() - this.#runsSince) / 1000,
      };
    }
    const at = clock.wall() - (clock.now() - end.end);
    return { start: new Date(at - end.seconds * 1000), end: new Date(at), seconds: end.seconds };
  }
}
