import { ERRORS, mayBe } from "./client.js";
import { isAbout } from "./mishaps.js";
import { leaseOf, play, settingsFor, type Walk } from "./play.js";
import { Stage } from "./stage.js";
import type { Call, Event, Scheduler, World } from "./world.js";

/**
 * What can go wrong at one call; `late`, `later`, `latest`: held up until others take it for lost, and are further and
 * further with it.
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
 * All goes its way, each call in its turn; only at certain calls that change something, by their numbers, something goes
 * wrong: who makes it is killed, held up for longer than a lease, gets an error, has room for half of it, or its reply is lost.
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

/** One play by a script. @returns how many calls there were that changed something, too */
export async function script(
  kind: "local" | "network",
  deviations: Deviations,
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
    jobs: [
      { name: "a", submittedAt: 0, takes: lease * 2, fails: "never", isDeaf: false },
      { name: "b", submittedAt: 0, takes: 50, fails: "first", isDeaf: false },
    ],
    skew: 0,
    draws: [0],
  } as const;
  const stage = new Stage(scene, way);
  stage.wasFull = [...deviations.values()].includes("half");
  const walk = await play(stage, async () => {
    const { world, watch } = stage;
    await world.run(() => world.time > lease && watch.areAllEnded, 4000);
    way.isCalm = true;
  });
  return { ...walk, calls: way.count };
}
