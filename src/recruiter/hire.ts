import fs from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { FjordError } from "../job/error.js";
import { quote } from "../job/quote.js";
import { fileModeIn } from "../project/access.js";
import type { Layout } from "../project/layout.js";
import { toType } from "../project/to-type.js";
import { refuseUnlessUtf8 } from "../project/utf8-path.js";
import { type Announcement, readAnnouncement } from "../spool/announcement.js";
import { newActorId } from "../spool/identity.js";
import { messageOf } from "../store/errno.js";
import type { Site } from "../store/site.js";
import { isSystemError } from "../store/store.js";
import { foreignValues } from "./foreign-values.js";
import type { LauncherName, WorkerStart } from "./launcher.js";
import { launcherOf } from "./launchers/by-name.js";

export interface HireRequest {
  readonly count: number;
  readonly via: LauncherName;
  /** The worker program: interpreter and script. Its arguments are the project and the id. */
  readonly program: readonly [string, ...string[]];
  /** Working directory of the workers. Relative paths in the jobs' command lines start here. */
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Longest time until a worker is on duty, in seconds. */
  readonly patience: number;
  /** A signal to start no more workers. `hire` still waits some seconds for the workers that it has started. */
  readonly signal?: AbortSignal | undefined;
}

export interface Hired {
  readonly worker: Announcement;
  /** Tells a person how to look at the worker. */
  readonly whereabouts: string;
}

/** Longest time to wait for started workers after the request was stopped, in ms. */
const PATIENCE_AFTER_STOP = 5000;

/**
 * Starts workers and waits until all are on duty. If `signal` stops the request, the result has fewer workers.
 *
 * @throws FjordError `hire-failed` with the worker's output, `launcher-missing`
 */
export async function hire(site: Site, request: HireRequest): Promise<Hired[]> {
  const { layout } = site;
  checkDirectory(request.directory);
  const launcher = launcherOf(request.via);
  const { signal } = request;
  const mode = fileModeIn(layout);
  const foreign = foreignValues(request.environment);
  const starts = Array.from({ length: request.count }, (): WorkerStart => {
    const id = newActorId("w");
    return {
      id,
      command: [...request.program, layout.root, id],
      directory: request.directory,
      environment: request.environment,
      foreign,
      environmentFile: layout.environmentOf(id),
      printed: layout.printed(id),
      mode,
    };
  });
  const started: WorkerStart[] = [];
  let failure: unknown;
  try {
    for (const start of starts) {
      await nextTurn(); // lets Node deliver signals between two starts
      if (signal?.aborted === true) break;
      try {
        await launcher.start(start);
      } catch (error) {
        failure = notStarted(error);
        break;
      }
      started.push(start);
    }
    let deadline = performance.now() + request.patience * 1000;
    const hurry = () => {
      deadline = Math.min(deadline, performance.now() + PATIENCE_AFTER_STOP);
    };
    if (signal?.aborted === true || failure !== undefined) hurry();
    signal?.addEventListener("abort", hurry, { once: true });
    const ends = await Promise.allSettled(
      started.map(async (start) => ({
        worker: await untilOnDuty(site, start, () => deadline),
        whereabouts: launcher.whereabouts(start),
      })),
    );
    const hired = ends.flatMap((end) => (end.status === "fulfilled" ? [end.value] : []));
    const late = ends.find((end) => end.status === "rejected");
    if (late !== undefined && signal?.aborted !== true) failure ??= late.reason;
    if (failure !== undefined) throw withHired(failure, hired, layout);
    return hired;
  } finally {
    // Removes the files of the workers that did not come on duty.
    for (const { environmentFile } of starts) fs.rmSync(environmentFile, { force: true });
  }
}

/** Checks the directory first. If it is missing, the system's error would name the program instead. */
function checkDirectory(directory: string): void {
  refuseUnlessUtf8("The workers' directory", directory);
  if (fs.statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new FjordError(
    "hire-failed",
    `The workers' directory ${quote(directory)} does not exist.`,
    "Hire in a directory that exists.",
  );
}

async function untilOnDuty(site: Site, start: WorkerStart, deadline: () => number): Promise<Announcement> {
  const { store, layout } = site;
  for (;;) {
    const announcement = await readAnnouncement(site, start.id);
    if (announcement !== undefined && (await store.has(layout.desk(start.id)))) return announcement;
    const output = lastOutput(start.printed);
    if (output !== "" || performance.now() > deadline()) {
      throw new FjordError(
        "hire-failed",
        `The worker ${start.id} did not come on duty${output === "" ? "" : `: ${output}`}`,
        `Read ${layout.daemonLog(start.id)} and ${start.printed}, or start a worker by hand with: ${toType("worker", layout.root)}`,
      );
    }
    await store.clock.sleep(10);
  }
}

/** Adds to a refusal the command that fires the workers that came on duty. */
function withHired(error: unknown, hired: readonly Hired[], layout: Layout): unknown {
  if (!(error instanceof FjordError) || hired.length === 0) return error;
  const ids = hired.map(({ worker }) => worker.worker).join(" ");
  const message = [error.message, error.hint].filter(Boolean).join("\n");
  const fire = `To fire the workers that are on duty: ${toType(`recruiter fire ${ids}`, layout.root)}`;
  return new FjordError(error.code, message, fire, { cause: error });
}

function notStarted(error: unknown): unknown {
  if (!isSystemError(error)) return error;
  return new FjordError("hire-failed", `No worker could be started: ${messageOf(error)}.`, "", {
    cause: error,
  });
}

/**
 * Output of a worker that is not on duty yet. A worker that starts without an error prints nothing, so any output is an error.
 */
function lastOutput(printed: string): string {
  try {
    return fs.readFileSync(printed, "utf8").trim().slice(-2000);
  } catch {
    return "";
  }
}
