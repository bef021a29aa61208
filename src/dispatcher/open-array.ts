import { type ArrayJob, Elements, elementOf } from "../job/element.js";
import type { Job } from "../job/job.js";
import { contains, countOf } from "../job/numbers.js";
import { type ArrayView, countParts } from "../spool/array-parts.js";
import type { JobOwners } from "../spool/job-owners.js";
import { readJobFile } from "../spool/read-job-file.js";
import type { Site } from "../store/site.js";
import type { Blocked } from "./dependencies.js";

/** An array that has elements without a job file. */
export interface OpenArray {
  readonly name: string;
  /** Stamp of the array's file. Another array with the same name has another stamp. */
  readonly stamp: string;
  readonly priority: number;
  readonly mtimeMs: number;
  readonly elements: Elements;
  /** The jobs that the array waits for; empty when all of them have ended. */
  after: Blocked["after"];
  view: ArrayView;
}

/** Result of reading an array's file. `broken`: the file no longer describes an array, for the reason given. */
export type ArrayReading =
  | { readonly kind: "open"; readonly array: OpenArray }
  | { readonly kind: "gone" }
  | { readonly kind: "broken"; readonly reason: string };

export async function readOpenArray(
  { store, layout }: Site,
  name: string,
  view: ArrayView,
  stamp: string,
  owners: JobOwners,
): Promise<ArrayReading> {
  const seen = await readJobFile(store, layout.arrayFile(name), `${name}.ini`, undefined, owners);
  if (seen.kind === "valid" && isArray(seen.job)) {
    const { job, mtimeMs, bytes } = seen;
    const elements = new Elements(`${name}.ini`, bytes, job);
    // When the array's first elements became jobs, all jobs that the array waits for had ended. These jobs may have been removed
    // since then.
    const isWhole = countParts(view) === countOf(job.array.ranges);
    const { priority, after } = job;
    return {
      kind: "open",
      array: { name, stamp, priority, mtimeMs, elements, after: isWhole ? after : [], view },
    };
  }
  if (seen.kind === "gone") return { kind: "gone" };
  return { kind: "broken", reason: seen.kind === "refused" ? seen.reason : "is no longer an array" };
}

/** Number of waiting elements that have no job file in the queue yet. */
export function waitingIn(view: ArrayView): number {
  return countParts(view, "waiting") + view.outgoing.reduce((sum, { files }) => sum + files.length, 0);
}

/** Whether the element with this job name waits and has no job file in the queue yet. */
export function isWaitingIn(view: ArrayView, job: string): boolean {
  const number = elementOf(job)?.number;
  return (
    view.parts.some(
      ({ kind, range }) => kind === "waiting" && number !== undefined && contains(range, number),
    ) || view.outgoing.some(({ files }) => files.includes(`${job}.ini`))
  );
}

/** Order in which the elements of several arrays become jobs: the higher priority first, then the older file. */
export function compareArrays(a: OpenArray, b: OpenArray): number {
  return b.priority - a.priority || a.mtimeMs - b.mtimeMs;
}

function isArray(job: Job): job is ArrayJob {
  return job.array !== undefined;
}
