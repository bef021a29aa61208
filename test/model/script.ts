import { isAbout } from "./mishaps.js";
import { leaseOf, play, settingsFor, type Walk } from "./play.js";
import { type Scene, Stage } from "./stage.js";
import { ERRORS, mayBe } from "./verdict.js";
import type { Call, Event, Scheduler, World } from "./world.js";

/**
 * Faults at one call. `late`, `later` and `latest` delay the actor until other actors treat it as lost. With `later`
 * and `latest`, the other actors have done more steps by then.
 */
export const DEVIATIONS = [
  "kill",
  "stop",
  "cut-off",
  "late",
  "later",
  "latest",
  "again",
  "half",
  ...ERRORS,
] as const;
export type Deviation = (typeof DEVIATIONS)[number];
type Deviations = ReadonlyMap<number, Deviation>;

const LATE = { late: 0, later: 1, latest: 2 };

const CHANGES = new Set([
  "rename",
  "link",
  "append",
  "unlink",
  "rmdir",
  "mkdir",
  "create",
  "fill",
  "write",
  "overwrite",
]);

/**
 * Lets calls go in their order. Certain calls that change something, given by number, have a fault. The actor is killed
 * or delayed for longer than a lease, gets an error, can write only half, or loses the reply.
 */
class Script implements Scheduler {
  readonly #deviations: Deviations;
  readonly #lease: number;
  isCalm = false;
  /** Calls so far that change something. */
  count = 0;
  #tossed = 0;

  constructor(deviations: Deviations, lease: number) {
    this.#deviations = deviations;
    this.#lease = lease;
  }

  toss(): boolean {
    return this.#tossed++ % 2 === 0;
  }

  choose(_: World, calls: readonly Call[]): Event {
    const call = calls.find(({ actor }) => actor.isHasty) ?? (calls[0] as Call);
    const go = { kind: "call", call, verdict: "do" } as const;
    if (this.isCalm || !CHANGES.has(call.what) || call.path.includes("/workerqueue/")) return go;
    const { actor } = call;
    const ms = this.#lease * 1.5;
    const deviation = this.#deviations.get(this.count++);
    switch (deviation) {
      case undefined:
        return go;
      case "kill":
        return { kind: "kill", actor };
      case "stop":
      case "cut-off":
        return { kind: deviation, actor, ms };
      case "late":
      case "later":
      case "latest":
        return { kind: "stop", actor, ms: ms * 2, until: isAbout(actor.name, LATE[deviation]) };
      case "EIO":
      case "ESTALE":
      case "EACCES":
      case "EMFILE":
      case "ENOSPC":
        return { ...go, verdict: mayBe(deviation, call.what) ? deviation : "do" };
      case "half":
        return { ...go, verdict: call.fault === "half" ? "half" : "do" };
      case "again":
        return { ...go, verdict: call.fault === "replay" ? "replay" : "do" };
      default: {
        const unknown: never = deviation;
        throw new Error(`unknown deviation: ${unknown}`);
      }
    }
  }
}

/** Plot of a script: two independent jobs, or one job that comes again after its removal. */
export type Plot = "two-jobs" | "cleaned";

function jobsOf(plot: Plot, lease: number): Pick<Scene, "jobs" | "deeds" | "isOneAfterTheOther"> {
  const job = { submittedAt: 0, takes: 50, fails: "first", isDeaf: false } as const;
  if (plot === "two-jobs") {
    return {
      jobs: [
        { ...job, name: "a", takes: lease * 2, fails: "never" },
        { ...job, name: "b" },
      ],
    };
  }
  const again = { ...job, name: "a", fails: "always" } as const;
  const clean = { what: "clean", word: "a", patience: 1 } as const;
  return {
    jobs: [again, { ...again, submittedAt: lease * 4 }],
    deeds: [0.5, 1, 2, 3].map((leases) => ({ ...clean, at: lease * leases })),
    isOneAfterTheOther: true,
  };
}

/** Plays one script. @returns the result, and the number of calls that changed something */
export async function script(
  kind: "local" | "network",
  deviations: Deviations,
  plot: Plot = "two-jobs",
): Promise<Walk & { readonly calls: number }> {
  const settings = settingsFor(kind);
  const lease = leaseOf(settings);
  const way = new Script(deviations, lease);
  const scene = {
    kind,
    settings,
    caches: { listings: 0, attributes: 0, negatives: 0, directories: lease * 0.2 },
    grain: 0.001,
    isAlone: true,
    ...jobsOf(plot, lease),
    skew: 0,
    draws: [0],
  } as const;
  const stage = new Stage(scene, way);
  stage.wasFull = [...deviations.values()].includes("half");
  const walk = await play(stage, async () => {
    const { world, watch } = stage;
    await world.run(() => world.time > lease && watch.areAllEnded && stage.hasAllBegun, 4000);
    way.isCalm = true;
  });
  return { ...walk, calls: way.count };
}
