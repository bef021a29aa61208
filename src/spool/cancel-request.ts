import crypto from "node:crypto";
import { jobName } from "../job/name.js";
import { ifThere } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import type { Store } from "../store/store.js";
import type { Recorder } from "./actor.js";
import { type CancelOrHold, cancelOrHold } from "./cancel.js";

/**
 * S4: asks a worker to cancel or to hold one job on its desk. The request is a file on the desk, since only the worker
 * moves jobs from there.
 */
export interface CancelRequest {
  /** `cancel` also stops a job that runs. `hold` only applies to a job that has not begun. */
  readonly what: CancelOrHold;
  readonly file: string;
  /** User who asks: `user@host`. */
  readonly by: string;
}

const LIMIT = 4096;

/** @returns the path of the request; undefined if the worker has no desk */
export async function leaveCancelRequest(
  site: Site,
  worker: string,
  request: CancelRequest,
): Promise<string | undefined> {
  const { store, layout } = site;
  const path = layout.cancelRequest(worker, crypto.randomUUID());
  return ifThere(store.create(path, JSON.stringify(request), false).then(() => path));
}

/**
 * Cancels or holds a job that has not begun, or does not run any more, and records the user who asked for this.
 *
 * @param source path of the job file. If the job is on a desk, the caller holds the job's lock.
 * @param attempt number of the job's last attempt, 0 for none
 * @param stamp stamp of the job file, where there was an attempt
 * @returns the directory to which the job was moved; undefined if its file is gone, or if another job with the same name is held
 */
export async function carryOutCancelRequest(
  recorder: Recorder,
  { what, file, by }: CancelRequest,
  source: string,
  attempt: number,
  stamp?: string,
): Promise<"jobcancelled" | "jobheld" | undefined> {
  const moved = await cancelOrHold(recorder, what, source, file);
  if (moved === "gone" || moved === "name-taken") return undefined;
  if (what === "cancel") {
    const reason = `by ${by}`;
    const last = attempt > 0 && stamp !== undefined ? { stamp } : {};
    await recorder.ledger.append({ event: "cancelled", job: jobName(file), attempt, by, reason, ...last });
  }
  return moved;
}

/** @returns undefined if the file is not complete yet, or holds no request */
export async function readCancelRequest(store: Store, path: string): Promise<CancelRequest | undefined> {
  try {
    const request = JSON.parse(await store.tail(path, LIMIT)) as CancelRequest;
    const isRequest = typeof request.file === "string" && typeof request.by === "string";
    return isRequest && (request.what === "cancel" || request.what === "hold") ? request : undefined;
  } catch {
    return undefined;
  }
}
