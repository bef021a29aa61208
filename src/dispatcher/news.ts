import type { Logger } from "pino";
import { jobName } from "../job/name.js";
import type { Ending } from "../spool/ending.js";
import type { Reclaimed } from "../spool/reclaim.js";
import type { Clock } from "../store/clock.js";
import { messageOf } from "../store/errno.js";
import type { LostWorker } from "./attendance.js";
import type { DispatcherEvent } from "./events.js";
import type { Decision } from "./retries.js";
import { Tally } from "./tally.js";

/** Counts what happens to jobs, reports it as events, and writes it to the log. */
export class News {
  readonly tally: Tally;
  readonly #log: Logger;
  readonly #tell: (event: DispatcherEvent) => void;

  constructor(clock: Clock, log: Logger, tell: (event: DispatcherEvent) => void) {
    this.tally = new Tally(clock);
    this.#log = log;
    this.#tell = tell;
  }

  refused(file: string, reason: string): void {
    this.tally.countRefused();
    this.#log.warn({ file, reason }, "refused");
    this.#tell({ kind: "refused", file, reason });
  }

  /** Counts jobs that were cancelled before they ran. */
  cancelled(count: number): void {
    this.tally.countCancelled(count);
  }

  failed(job: string, ending: Ending): void {
    this.tally.count("failed");
    this.#tell({ kind: "failed", job, ...ending });
  }

  /** Reports a job, or an array, that was cancelled because a job that it waited for did not succeed. */
  cancelledBecause(file: string, job: string, reason: string): void {
    this.#log.warn({ file, reason }, "cancelled");
    this.#tell({ kind: "cancelled", job, reason });
  }

  /** Reports a decision about a job on the retry desk. */
  decided(decision: Decision): void {
    switch (decision.kind) {
      case "cancelled":
        this.cancelled(1);
        break;
      case "given-up": {
        const { ending, ...decided } = decision;
        this.tally.count("failed");
        this.#tell({ ...decided, ...ending });
        break;
      }
      case "again": {
        const { ending, ...decided } = decision;
        this.#tell({ ...ending, ...decided, kind: "retry" });
        break;
      }
      default: {
        const unknown: never = decision;
        throw new Error(`unknown decision: ${unknown}`);
      }
    }
  }

  workerLost({ worker, reason, jobs }: LostWorker): void {
    this.#log.warn({ worker, reason }, "worker lost");
    const back = jobs.filter(({ to }) => to === "jobqueue" || to === "retry");
    this.#tell({
      kind: "worker-lost",
      worker,
      reason,
      back: back.length,
      givenUp: jobs.filter(({ to }) => to === "jobfailed").length,
      jobs: back.sort(byTurn).map(({ file }) => jobName(file)),
    });
  }

  /** Logs that a held job went back to the queue, because the process that edited it is dead. */
  editEnded(file: string): void {
    this.#log.warn({ file }, "put back, because the process that edited the job is dead");
  }

  troubleWithArray(message: string): void {
    this.#log.warn({ message }, "trouble with an array");
    this.#tell({ kind: "trouble", message });
  }

  troubleWithStore(error: unknown): void {
    this.#log.error({ error: String(error) }, "trouble with the store");
    this.#tell({ kind: "trouble", message: messageOf(error) });
  }
}

/** Order of reclaimed jobs: first the jobs that ran, then the jobs that only lay on the desk, each by name. */
function byTurn(a: Reclaimed, b: Reclaimed): number {
  const ran = ({ lostAttempt }: Reclaimed) => (lostAttempt === undefined ? 0 : 1);
  return ran(b) - ran(a) || (a.file < b.file ? -1 : 1);
}
