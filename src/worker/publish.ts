import type { Job } from "../job/job.js";
import type { JobResult } from "../job/job-result.js";
import { describeOutcome, type Outcome } from "../job/outcome.js";
import type { CpuTime, Destination, LedgerEvent, RunName } from "../ledger/line.js";
import type { Recorder } from "../spool/actor.js";
import { removeCheckpoint } from "../spool/checkpoint.js";
import { assureFile, type Claimed, finish } from "../spool/finish.js";
import { hostName } from "../spool/identity.js";
import { isSameLife, markOf } from "../store/stamp.js";
import { isTrouble } from "../store/store.js";
import type { Duty } from "./duty.js";

/** An attempt that has ended. */
export interface Ended {
  readonly job: string;
  readonly attempt: number;
  readonly run: string;
  /** Stamp of the job file as it was claimed. */
  readonly stamp: string;
  readonly outcome: Outcome;
  readonly start: Date;
  readonly end: Date;
  /** Wall time by the monotonic clock. */
  readonly seconds: number;
  readonly cpu: CpuTime | null;
  readonly memory: number | null;
  readonly result?: JobResult | undefined;
}

/** A duty, as far as publishing needs it. */
type Publisher = Recorder & Pick<Duty, "log" | "mayBeFenced" | "stall">;

/** Time between two attempts at a write that the store does not take, ms. */
const TRY_AGAIN = 500;
/** Number of attempts to remove a checkpoint. The worker publishes the outcome even if the last one fails. */
const CHECKPOINT_TRIES = 5;

/**
 * S6: writes the outcome into the ledger, then renames the job's file, which is the commit. If the worker was declared lost
 * meanwhile, it records the attempt as discarded and publishes nothing. While the store takes no writes, for example
 * because the disk is full, the outcome waits.
 */
export async function publish(duty: Publisher, job: Job, claimed: Claimed, ended: Ended): Promise<void> {
  const { ledger, log } = duty;
  const attempt = { job: ended.job, attempt: ended.attempt, run: ended.run, worker: claimed.worker };
  if (duty.mayBeFenced() && (await isFenced(duty, claimed))) {
    return discard(duty, { ...attempt, stamp: ended.stamp }, "its worker was declared lost");
  }
  const stamp = await untilTaken(duty, () => assureFile(duty, claimed));
  if (stamp === undefined) return discard(duty, { ...attempt, stamp: ended.stamp }, "the job was taken back");
  const to = destinationOf(ended.outcome, job);
  await untilTaken(duty, () => ledger.append(endedEvent(claimed.worker, ended, to, stamp)));
  const end = await commit(duty, claimed, ended, to, stamp);
  switch (end) {
    case "taken":
      return discard(duty, { ...attempt, stamp: ended.stamp }, "the job was taken back");
    case "fenced":
      return log.warn(attempt, "declared lost before the outcome was published; the dispatcher decides");
    case "published":
      if (ended.outcome.kind !== "succeeded") log.info(attempt, describeOutcome(ended.outcome));
      return;
    default:
      return end satisfies never;
  }
}

/** Records that an attempt does not count. */
async function discard(
  duty: Publisher,
  attempt: RunName & { readonly stamp: string },
  reason: string,
): Promise<void> {
  const { ledger, log } = duty;
  await untilTaken(duty, () => ledger.append({ event: "discarded", ...attempt, reason }));
  log.warn({ ...attempt, reason }, "discarded");
}

/** S10: whether the worker has lost its desk. This is asked only when its heartbeat was late. */
async function isFenced(duty: Publisher, { worker }: Claimed): Promise<boolean> {
  return !(await untilTaken(duty, () => duty.store.has(duty.layout.desk(worker))));
}

function endedEvent(worker: string, ended: Ended, to: Destination, stamp: string): LedgerEvent {
  const event: LedgerEvent & { event: "ended" } = {
    event: "ended",
    job: ended.job,
    attempt: ended.attempt,
    run: ended.run,
    worker,
    host: hostName(),
    outcome: ended.outcome,
    start: ended.start.toISOString(),
    end: ended.end.toISOString(),
    seconds: Math.round(ended.seconds * 1e6) / 1e6,
    cpu: ended.cpu,
    memory: ended.memory,
    to,
    stamp,
  };
  if (ended.result !== undefined) event.result = ended.result;
  if (stamp !== ended.stamp && !isSameLife(markOf(stamp), markOf(ended.stamp))) event.claimed = ended.stamp;
  return event;
}

/**
 * Removes the checkpoint of a job that succeeded, then renames the job's file. Each try does both, because a process that
 * finds `ended` in the ledger and commits in this worker's place does both too.
 */
async function commit(duty: Publisher, claimed: Claimed, ended: Ended, to: Destination, stamp: string) {
  let tries = 0;
  return untilTaken(duty, async () => {
    if (ended.outcome.kind === "succeeded" && !(duty.mayBeFenced() && (await isFenced(duty, claimed)))) {
      const problem = await removeCheckpoint(duty, ended.job);
      if (problem !== undefined) {
        const { job, attempt, run } = ended;
        const name = { job, attempt, run, worker: claimed.worker };
        duty.log.warn({ ...name, problem: String(problem) }, "the checkpoint was not removed");
        if (isTrouble(problem) && ++tries < CHECKPOINT_TRIES) throw problem;
      }
    }
    return finish(duty, claimed, to, stamp);
  });
}

/** S9: a failure with retries left, or a requeue, goes to the dispatcher's desk. The dispatcher counts and decides. */
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
    default:
      return outcome satisfies never;
  }
}

/** Repeats a write until the store takes it. */
export async function untilTaken<T>({ store, stall }: Publisher, write: () => Promise<T>): Promise<T> {
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
