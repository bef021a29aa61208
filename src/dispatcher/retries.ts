import { isIgnored, jobName } from "../job/name.js";
import type { Counts } from "../ledger/counts.js";
import { fileBehind } from "../project/entry-names.js";
import type { Recorder } from "../spool/actor.js";
import type { Ending } from "../spool/ending.js";
import { putBack, stampAt } from "../spool/finish.js";
import { readJobFile } from "../spool/read-job-file.js";
import { factsIfThere, renameIfThere } from "../store/file-facts.js";
import { isStampOf, markOf, stampOf } from "../store/stamp.js";
import { judgeRetry } from "./retry-judgement.js";

/** Time in ms between two looks at ledgers that do not yet record the end of an attempt. */
const UNTOLD_LOOKS_APART = 300;

/** A decision about a job on the retry desk. `ending` describes how the job's last attempt ended. */
export type Decision =
  /** Somebody cancelled the job while it waited for its next attempt. */
  | { kind: "cancelled"; job: string }
  | { kind: "again"; job: string; attempt: number; of: number; ending: Ending }
  | { kind: "given-up"; job: string; reason: string; ending: Ending };

/** A job that goes back to the queue. */
interface Due {
  /** Time when the job's backoff ends (monotonic, ms). */
  readonly at: number;
  readonly failed: number;
  /** Stamp of the file to which this decision applies. Another file with the same name has another stamp. */
  readonly stamp: string;
}

/**
 * S9: decides about the jobs on the retry desk, which failed and may have retries left. The dispatcher counts the attempts of a
 * job from the ledgers. The job goes back to the queue after the backoff, or to `jobfailed/` when its attempts are used up. When
 * the dispatcher dies, its successor finds the job on the retry desk and decides again.
 */
export class Retries {
  readonly #actor: Recorder;
  readonly #counts: Counts;
  readonly #due = new Map<string, Due>();
  /** Number of jobs that wait on the retry desk behind another job with the same name. */
  #behind = 0;
  /** Jobs with an attempt whose end is not in the ledgers, with the time when this dispatcher first saw this (monotonic, ms). */
  readonly #untold = new Map<string, number>();
  /** Jobs that could not go back because another job with the same name is in the queue. The job in the queue runs first. */
  readonly #blocked = new Set<string>();

  /** Whether the last call of `decide` put a job back into the queue. */
  hasPutBack = false;

  constructor(actor: Recorder, counts: Counts) {
    this.#actor = actor;
    this.#counts = counts;
  }

  /** Number of jobs that the last call of `decide` found on the retry desk. */
  get waiting(): number {
    return this.#due.size + this.#behind;
  }

  /** Whether the last call of `decide` found this file. */
  isWaiting(file: string): boolean {
    return this.#due.has(file);
  }

  /** Whether a job of this name must return from the retry desk before another job with the same name may run. */
  holds(file: string): boolean {
    const job = jobName(file);
    return [...this.#due.keys()].some((other) => jobName(other) === job && !this.#blocked.has(other));
  }

  /** Time until the next job is due, in ms; undefined when none waits. */
  nextDue(now: number): number | undefined {
    if (this.#due.size === 0) return undefined;
    return Math.max(0, Math.min(...[...this.#due.values()].map((due) => due.at)) - now);
  }

  /** Lists the retry desk, decides on new jobs and puts back the jobs that are due. @param now monotonic, ms */
  async decide(now: number): Promise<Decision[]> {
    const names = await this.#actor.store.list(this.#actor.layout.retryDesk);
    const files = names.filter((name) => !isIgnored(name));
    const decisions = await this.#findGone(files);
    this.hasPutBack = false;
    await this.#callForward(names);
    for (const file of files) {
      const due = this.#due.get(file);
      if (due !== undefined && due.at > now) continue;
      // Another file of the same name may have replaced the file for which this was decided.
      const isDecided = due !== undefined && !this.#untold.has(file);
      if (isDecided && due.stamp === (await stampAt(this.#actor.store, this.#actor.layout.toRetry(file)))) {
        await this.#again(file, due);
        continue;
      }
      this.#due.delete(file);
      this.#blocked.delete(file);
      const decision = await this.#decideOn(file, now);
      if (decision !== undefined) decisions.push(decision);
    }
    return decisions;
  }

  /** Forgets the jobs that have left the desk. @returns the jobs among them that were cancelled */
  async #findGone(files: readonly string[]): Promise<Decision[]> {
    const decisions: Decision[] = [];
    for (const [file, { stamp }] of this.#due) {
      if (files.includes(file)) continue;
      this.#due.delete(file);
      this.#untold.delete(file);
      const cancelled = await factsIfThere(this.#actor.store, this.#actor.layout.ended("jobcancelled", file));
      if (cancelled !== undefined && isStampOf(stamp, cancelled)) {
        decisions.push({ kind: "cancelled", job: jobName(file) });
      }
    }
    return decisions;
  }

  /**
   * Moves jobs that wait behind another job with the same name to the normal place on the retry desk, as soon as that place is
   * free.
   */
  async #callForward(names: readonly string[]): Promise<void> {
    this.#behind = 0;
    for (const name of names) {
      if (!name.startsWith(".")) continue;
      const entry = this.#actor.layout.toRetry(name);
      const facts = await factsIfThere(this.#actor.store, entry);
      const file = facts && fileBehind(name, facts);
      if (file === undefined) continue;
      this.#behind++;
      if (await this.#actor.store.has(this.#actor.layout.toRetry(file))) continue;
      await renameIfThere(this.#actor.store, entry, this.#actor.layout.toRetry(file));
    }
  }

  async #decideOn(file: string, now: number): Promise<Decision | undefined> {
    const { store, layout, settings } = this.#actor;
    const job = jobName(file);
    const seen = await readJobFile(store, layout.toRetry(file), file);
    if (seen.kind === "gone") return undefined;
    const retries = seen.kind === "valid" ? seen.job.retries : 0;
    // Opening a file makes NFS ask the server for the file's times. Otherwise a cache may show the times from when the job was
    // last on this desk.
    const stamp = seen.kind === "valid" ? stampOf(seen) : await stampAt(store, layout.toRetry(file));
    if (stamp === undefined) return undefined;
    if (await this.#counts.isGivenUp(job, stamp)) {
      // An earlier dispatcher gave the job up and was killed before the rename.
      await this.#giveUp(file);
      return { kind: "given-up", job, reason: "all its attempts failed", ending: {} };
    }
    const { failed, latest, outcome, requeued } = await this.#counts.attemptsOf(job, markOf(stamp));
    if (await this.#isUntold(file, stamp, now)) {
      this.#due.set(file, { at: now + UNTOLD_LOOKS_APART, failed: 0, stamp });
      return undefined;
    }
    const verdict = judgeRetry({ failed, requeued, retries }, settings.retryBackoff);
    const ending = (outcome && { outcome, attempt: latest, log: layout.attemptLog(job, latest) }) ?? {};
    switch (verdict.kind) {
      case "given-up":
        await this.#record(job, latest, "jobfailed", verdict.reason, stamp);
        await this.#giveUp(file);
        return { ...verdict, job, ending };
      case "requeue":
      case "return":
        this.#due.set(file, { at: now + verdict.backoff * 1000, failed: 0, stamp });
        return undefined;
      case "again": {
        const { kind, attempt, of, backoff } = verdict;
        this.#due.set(file, { at: now + backoff * 1000, failed, stamp });
        return { kind, job, attempt, of, ending };
      }
      default: {
        const unknown: never = verdict;
        throw new Error(`unknown verdict: ${unknown}`);
      }
    }
  }

  /**
   * Whether there is a log of an attempt whose end is not in the ledgers. A cache may still show an older state of the ledger, so
   * the job waits for the settle time. The job waits no longer, because a worker may have been killed before it wrote the end.
   */
  async #isUntold(file: string, stamp: string, now: number): Promise<boolean> {
    if (this.#actor.store.kind === "local") return false;
    const job = jobName(file);
    const since = this.#untold.get(file) ?? now;
    this.#untold.delete(file);
    if (now - since > this.#actor.settings.settle * 1000) return false;
    for (const attempt of await this.#counts.untoldNumbers(job, markOf(stamp))) {
      if (!(await this.#actor.store.has(this.#actor.layout.attemptLog(job, attempt)))) continue;
      this.#untold.set(file, since);
      return true;
    }
    return false;
  }

  async #again(file: string, { failed, stamp }: Due): Promise<void> {
    const to = await putBack(this.#actor, this.#actor.layout.toRetry(file), file);
    if (to === "retry") {
      this.#blocked.add(file);
      return;
    }
    this.#blocked.delete(file);
    this.#due.delete(file);
    this.hasPutBack ||= to === "jobqueue";
    if (to === "gone" || failed === 0) return;
    const job = jobName(file);
    const { latest } = await this.#counts.attemptsOf(job, markOf(stamp));
    const reason = `attempt ${failed} failed`;
    await this.#record(job, latest, "jobqueue", reason, stamp);
  }

  async #giveUp(file: string): Promise<void> {
    const { store, layout } = this.#actor;
    await renameIfThere(store, layout.toRetry(file), layout.ended("jobfailed", file));
  }

  #record(
    job: string,
    attempt: number,
    to: "jobqueue" | "jobfailed",
    reason: string,
    stamp: string,
  ): Promise<void> {
    return this.#actor.ledger.append({ event: "retry", job, attempt, to, reason, stamp });
  }
}
