import fs from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { FjordError } from "../job/error.js";
import { fileModeIn } from "../project/access.js";
import type { Layout } from "../project/layout.js";
import { toType } from "../project/to-type.js";
import { type Announcement, readAnnouncement } from "../spool/announcement.js";
import { newActorId } from "../spool/identity.js";
import type { Store } from "../spool/store.js";
import { DetachedLauncher } from "./detached.js";
import type { Launcher, LauncherName, WorkerStart } from "./launcher.js";
import { ScreenLauncher, TmuxLauncher } from "./sessions.js";

export interface HireRequest {
  readonly count: number;
  readonly via: LauncherName;
  /** The worker program: interpreter and script; gets the project and the id as arguments. */
  readonly program: readonly [string, ...string[]];
  /** The workers' working directory: relative paths in command lines start there. */
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Seconds that a worker may take until it is on duty. */
  readonly patience: number;
}

export interface Hired {
  readonly worker: Announcement;
  /** How to look at it, for people. */
  readonly whereabouts: string;
}

function launcherOf(name: LauncherName): Launcher {
  switch (name) {
    case "detached":
      return new DetachedLauncher();
    case "tmux":
      return new TmuxLauncher();
    case "screen":
      return new ScreenLauncher();
    default: {
      const unknown: never = name;
      throw new Error(`unknown launcher: ${unknown}`);
    }
  }
}

/**
 * Starts workers and comes back when all are on duty.
 *
 * @throws FjordError `hire-failed` with what the worker printed, `launcher-missing`
 */
export async function hire(store: Store, layout: Layout, request: HireRequest): Promise<Hired[]> {
  const launcher = launcherOf(request.via);
  const mode = fileModeIn(layout);
  const starts = Array.from({ length: request.count }, (): WorkerStart => {
    const id = newActorId("w");
    return {
      id,
      command: [...request.program, layout.root, id],
      directory: request.directory,
      environment: request.environment,
      environmentFile: layout.environmentOf(id),
      printed: layout.printed(id),
      mode,
    };
  });
  try {
    for (const start of starts) await launcher.start(start);
    const deadline = performance.now() + request.patience * 1000;
    return await Promise.all(
      starts.map(async (start) => ({
        worker: await untilOnDuty(store, layout, start, deadline),
        whereabouts: launcher.whereabouts(start),
      })),
    );
  } finally {
    // Of those that did not come on duty.
    for (const { environmentFile } of starts) fs.rmSync(environmentFile, { force: true });
  }
}

async function untilOnDuty(
  store: Store,
  layout: Layout,
  start: WorkerStart,
  deadline: number,
): Promise<Announcement> {
  for (;;) {
    const announcement = await readAnnouncement(store, layout, start.id);
    if (announcement !== undefined && (await store.has(layout.desk(start.id)))) return announcement;
    const words = lastWords(start.printed);
    if (words !== "" || performance.now() > deadline) {
      throw new FjordError(
        "hire-failed",
        `the worker ${start.id} did not come on duty${words === "" ? "" : `: ${words}`}`,
        `Look into ${layout.daemonLog(start.id)} and ${start.printed}; start one by hand with: ${toType("worker", layout.root)}`,
      );
    }
    await delay(10);
  }
}

/** What a worker printed before it was on duty is why it is not. */
function lastWords(printed: string): string {
  try {
    return fs.readFileSync(printed, "utf8").trim().slice(-2000);
  } catch {
    return "";
  }
}
