import type pino from "pino";
import type { Job } from "../job/job.js";
import type { JobResult } from "../job/job-result.js";
import { describeOutcome, type Outcome } from "../job/outcome.js";
import type { Layout } from "../project/layout.js";
import { removeCheckpoint } from "../spool/checkpoint.js";
import { assureFile, type Claimed, finish } from "../spool/finish.js";
import { hostName } from "../spool/identity.js";
import type { CpuTime, Destination, Ledger } from "../spool/ledger.js";
import { isTrouble, type Store } from "../spool/store.js";

/** An attempt that has ended. */
export interface Ended {
  readonly job: string;
  readonly attempt: number;
  readonly outcome: Outcome;
  readonly start: Date;
  readonly end: Date;
  /** Wall time by the monotonic clock. */
  readonly seconds: number;
  readonly cpu: CpuTime | null;
  readonly memory: number | null;
  readonly result?: JobResult | undefined;
}

export interface Publisher {
  readonly store: Store;
  readonly layout: Layout;
  readonly ledger: Ledger;
  readonly log: pino.Logger;
  mayBeFenced(): boolean;
  /** The store takes nothing: it is tried again. */
  stall(error: unknown): void;
}

/** Between two tries while the store takes nothing, ms. */
const TRY_AGAIN = 500;
/** So often a checkpoint is tried to be removed, until its job's outcome is published without that. */
const CHECKPOINT_TRIES = 5;

/**
 * S6: the ledger first, then the rename that is the commit. An attempt that was declared lost meanwhile is noted as
 * discarded, and publishes nothing. While the store takes nothing, the outcome waits: it is not lost for a full disk.
 */
export async function publish(by: Publisher, job: Job, claimed: Claimed, ended: Ended): Promise<void> {
  const { store, layout, ledger, log } = by;
  const attempt = { job: ended.job, attempt: ended.attempt, worker: claimed.worker };
  const isFenced = async () =>
    by.mayBeFenced() && !(await untilTaken(by, () => store.has(layout.desk(claimed.worker))));
  if (await isFenced()) return discard(by, attempt, "its worker was declared lost");
  const stamp = await untilTaken(by, () => assureFile(store, layout, claimed));
  if (stamp === undefined) return discard(by, attempt, "the job was taken back");
  const to = destinationOf(ended.outcome, job);
  await untilTaken(by, () =>
    ledger.append({
      event: "ended",
      ...attempt,
      host: hostName(),
      outcome: ended.outcome,
      start: ended.start.toISOString(),
      end: ended.end.toISOString(),
      seconds: Math.round(ended.seconds * 1e6) / 1e6,
      cpu: ended.cpu,
      memory: ended.memory,
      ...(ended.result && { result: ended.result }),
      to,
      stamp,
    }),
  );
  let tries = 0;
  const end = await untilTaken(by, async () => {
    // Before the commit, at each try of it: who finds `ended` and commits in this worker's stead does this, too.
    if (ended.outcome.kind === "succeeded" && !(await isFenced())) {
      const problem = await removeCheckpoint(store, layout, ended.job);
      if (problem !== undefined) {
        log.warn({ ...attempt, problem: String(problem) }, "its checkpoint was not removed");
        if (isTrouble(problem) && ++tries < CHECKPOINT_TRIES) throw problem;
      }
    }
    return finish(store, layout, claimed, to, stamp);
  });
  if (end === "taken") await discard(by, attempt, "the job was taken back");
  else if (end === "fenced") log.warn(attempt, "declared lost at the end: the dispatcher decides");
  else if (ended.outcome.kind !== "succeeded") log.info(attempt, describeOutcome(ended.outcome));
}

/** An attempt that does not count. */
export async function discard(
  by: Publisher,
  attempt: { readonly job: string; readonly attempt: number; readonly worker: string },
  reason: string,
): Promise<void> {
  const { ledger, log } = by;
  await untilTaken(by, () => ledger.append({ event: "discarded", ...attempt, reason }));
  log.warn({ ...attempt, reason }, "discarded");
}

/** A failure with retries left, or a requeue, goes to the desk of the dispatcher, who counts and decides (S9). */
function destinationOf(outcome: Outcome, job: Job): Destination {
  switch (outcome.kind) {
    case "succeeded":
      return "jobdone";
    case "failed":
    case "timed-out":
      return job.retries > 0 ? "retry" : "jobfailed";
    case "requeued":
      return "retry";
    case "cancelled":
      return outcome.by === undefined ? "jobqueue" : "jobcancelled";
    case "lost":
      return "jobqueue";
    case "refused":
      return "jobfailed";
    default: {
      const unknown: never = outcome;
      throw new Error(`unknown outcome: ${JSON.stringify(unknown)}`);
    }
  }
}

async function untilTaken<T>({ store, stall }: Publisher, write: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await write();
    } catch (error) {
      if (!isTrouble(error)) throw error;
      if (tries === 0) stall(error);
      await store.clock.sleep(TRY_AGAIN);
    }
  }
}
