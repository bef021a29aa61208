import { backoffAfter } from "../job/backoff.js";
import { isIgnored, jobName } from "../job/name.js";
import type { Layout } from "../project/layout.js";
import type { Settings } from "../project/settings.js";
import type { Ending } from "../spool/ending.js";
import { factsIfThere } from "../spool/file-facts.js";
import { putBack, stampAt } from "../spool/finish.js";
import type { History } from "../spool/history.js";
import { look } from "../spool/intake.js";
import type { Ledger } from "../spool/ledger.js";
import { isStampOf } from "../spool/stamp.js";
import { isErrno, type Store } from "../spool/store.js";

/** Between two looks at ledgers that do not tell all yet, ms. */
const UNTOLD_LOOKS_APART = 300;

/** What was decided of a job on the retry desk, and how its last attempt ended. */
export type Decision =
  /** While it waited for its next attempt. */
  | { kind: "cancelled"; job: string }
  | { kind: "again"; job: string; attempt: number; of: number; ending: Ending }
  | { kind: "given-up"; job: string; reason: string; ending: Ending };

/**
 * S9, the one place that decides: a job that failed with retries left lies on the retry desk; its attempts are counted
 * from the ledger, and it goes back to the queue after the backoff, or to `jobfailed/` when they are used up. When
 * the dispatcher dies, its successor finds the job there and decides anew.
 */
export class Retries {
  readonly #store: Store;
  readonly #layout: Layout;
  readonly #settings: Settings;
  readonly #ledger: Ledger;
  readonly #history: History;
  /** Jobs that wait for their backoff: when it is over, by the monotonic clock, ms; and which file that was decided of. */
  readonly #due = new Map<string, { at: number; failed: number; stamp: string }>();
  /** Those that lie behind another of their name. */
  #behind = 0;
  /** Those of which the ledgers do not tell all yet, and since when, by the monotonic clock, ms. */
  readonly #untold = new Map<string, number>();
  /** Those that could not go back, since another job of the name lies in the queue: that one goes first. */
  readonly #blocked = new Set<string>();

  /** Whether a job went back to the queue at the last look. */
  hasPutBack = false;

  constructor(store: Store, layout: Layout, settings: Settings, ledger: Ledger, history: History) {
    this.#store = store;
    this.#layout = layout;
    this.#settings = settings;
    this.#ledger = ledger;
    this.#history = history;
  }

  /** Jobs on the retry desk at the last look. */
  get waiting(): number {
    return this.#due.size + this.#behind;
  }

  /** Whether this file was there at the last look. */
  isWaiting(file: string): boolean {
    return this.#due.has(file);
  }

  /** Whether a job of this name will be back from the desk before another of the name may run. */
  holds(file: string): boolean {
    const job = jobName(file);
    return [...this.#due.keys()].some((other) => jobName(other) === job && !this.#blocked.has(other));
  }

  /** ms until the next one is due; undefined when none waits. */
  nextDue(now: number): number | undefined {
    if (this.#due.size === 0) return undefined;
    return Math.max(0, Math.min(...[...this.#due.values()].map((due) => due.at)) - now);
  }

  /** @param now monotonic, ms */
  async decide(now: number): Promise<Decision[]> {
    const names = await this.#store.list(this.#layout.retryDesk);
    const files = names.filter((name) => !isIgnored(name));
    const decisions: Decision[] = [];
    for (const [file, { stamp }] of this.#due) {
      if (files.includes(file)) continue;
      this.#due.delete(file);
      this.#untold.delete(file);
      const cancelled = await factsIfThere(this.#store, this.#layout.ended("jobcancelled", file));
      if (cancelled !== undefined && isStampOf(stamp, cancelled)) {
        decisions.push({ kind: "cancelled", job: jobName(file) });
      }
    }
    this.hasPutBack = false;
    await this.#callForward(names);
    for (const file of files) {
      const due = this.#due.get(file);
      if (due !== undefined && due.at > now) continue;
      // Another of the name may have taken its place, and is to be weighed for itself.
      const isDecided = due !== undefined && !this.#untold.has(file);
      if (isDecided && due.stamp === (await stampAt(this.#store, this.#layout.toRetry(file)))) {
        await this.#again(file, due.failed);
        continue;
      }
      this.#due.delete(file);
      this.#blocked.delete(file);
      const decision = await this.#weigh(file, now);
      if (decision !== undefined) decisions.push(decision);
    }
    return decisions;
  }

  /** What lies behind another of its name takes its place when that is free, and is weighed at the next look. */
  async #callForward(names: readonly string[]): Promise<void> {
    this.#behind = 0;
    for (const name of names) {
      if (!name.startsWith(".")) continue;
      const entry = this.#layout.toRetry(name);
      const facts = await factsIfThere(this.#store, entry);
      const file = facts && this.#layout.fileBehind(name, facts);
      if (file === undefined) continue;
      this.#behind++;
      if (await this.#store.has(this.#layout.toRetry(file))) continue;
      await this.#store.rename(entry, this.#layout.toRetry(file)).catch((error) => {
        if (!isErrno(error, "ENOENT")) throw error;
      });
    }
  }

  async #weigh(file: string, now: number): Promise<Decision | undefined> {
    const job = jobName(file);
    const seen = await look(this.#store, this.#layout.toRetry(file), file);
    if (seen.kind === "gone") return undefined;
    const retries = seen.kind === "valid" ? seen.job.retries : 0;
    const stamp = await stampAt(this.#store, this.#layout.toRetry(file));
    if (stamp === undefined) return undefined;
    if (await this.#history.isGivenUp(job, stamp)) {
      // By a dispatcher that was killed before the rename.
      await this.#move(file, this.#layout.ended("jobfailed", file));
      return { kind: "given-up", job, reason: "all its attempts failed", ending: {} };
    }
    const { failed, latest, outcome, requeued } = await this.#history.attemptsOf(job);
    if (await this.#isUntold(file, now)) {
      this.#due.set(file, { at: now + UNTOLD_LOOKS_APART, failed: 0, stamp });
      return undefined;
    }
    if (requeued) {
      // Always the first backoff: a job of many slices is not to wait longer and longer, nor to spin.
      this.#due.set(file, { at: now + this.#settings.retryBackoff * 1000, failed: 0, stamp });
      return undefined;
    }
    const ending = outcome && { outcome, attempt: latest, log: this.#layout.attemptLog(job, latest) };
    if (failed > retries) {
      const reason = `all its ${failed} attempts failed (retries: ${retries})`;
      await this.#ledger.append({ event: "retry", job, attempt: latest, to: "jobfailed", reason, stamp });
      await this.#move(file, this.#layout.ended("jobfailed", file));
      return { kind: "given-up", job, reason, ending: ending ?? {} };
    }
    // Never failed: it is here because its name was taken in the queue. It goes back as soon as it is free.
    const backoff = backoffAfter(failed, this.#settings.retryBackoff);
    this.#due.set(file, { at: now + backoff * 1000, failed, stamp });
    if (failed === 0) return undefined;
    return { kind: "again", job, attempt: failed + 1, of: retries + 1, ending: ending ?? {} };
  }

  /**
   * Whether there was an attempt after all those of which the ledgers tell how they ended: a cache may still hold a ledger as
   * it was. For the time that files take to settle that is waited for; who was killed between log and ledger tells nothing.
   */
  async #isUntold(file: string, now: number): Promise<boolean> {
    if (this.#store.kind === "local") return false;
    const job = jobName(file);
    const next = this.#layout.attemptLog(job, (await this.#history.lastEnded(job)) + 1);
    const since = this.#untold.get(file) ?? now;
    this.#untold.delete(file);
    if (now - since > this.#settings.settle * 1000 || !(await this.#store.has(next))) return false;
    this.#untold.set(file, since);
    return true;
  }

  async #again(file: string, failed: number): Promise<void> {
    const to = await putBack(this.#store, this.#layout, this.#layout.toRetry(file), file);
    if (to === "retry") this.#blocked.add(file);
    else this.#blocked.delete(file);
    if (to === "retry") return;
    this.#due.delete(file);
    this.hasPutBack ||= to === "jobqueue";
    if (to === "gone" || failed === 0) return;
    const job = jobName(file);
    const { latest } = await this.#history.attemptsOf(job);
    const reason = `attempt ${failed} failed`;
    await this.#ledger.append({ event: "retry", job, attempt: latest, to: "jobqueue", reason });
  }

  async #move(file: string, to: string): Promise<void> {
    try {
      await this.#store.rename(this.#layout.toRetry(file), to);
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error;
    }
  }
}
