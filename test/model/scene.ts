import type { Dice } from "../rig/dice.js";
import type { JobPlan } from "./jobs.js";
import type { Deed } from "./operator.js";
import { leaseOf, settingsFor } from "./play.js";
import type { Firing } from "./recruiter.js";
import type { Scene } from "./stage.js";

/** Features that a walk may have besides jobs, workers and dispatchers. */
export type Trait =
  | "operator"
  | "fired"
  | "checkpoint"
  | "after"
  | "array"
  | "dropped"
  | "namesakes"
  | "cleaned"
  | "one-host"
  | "bells"
  | "long"
  | "swift";

/** A random scene with two or three jobs. */
export function someScene(kind: "local" | "network", dice: Dice): Scene {
  const settings = settingsFor(kind);
  const lease = leaseOf(settings);
  // nfs(5) caches for 60 s at most, and the default lease is 300 s. The model keeps this ratio.
  const cached = () => dice.pick([0, 0.05, 0.2]) * lease;
  return {
    kind,
    settings,
    caches: {
      listings: dice.pick([0, 0.5, 0.9]) * settings.settle * 1000,
      attributes: cached(),
      negatives: cached(),
      directories: cached(),
    },
    grain: dice.pick([0.001, 1, 1000]),
    isAlone: dice.next() < 0.4,
    jobs: ["a", "b", "c"].slice(0, dice.next() < 0.7 ? 2 : 3).map((name) => someJob(name, dice, lease)),
    skew: kind === "local" ? 0 : dice.pick([0, 3_600_000]), // one host has one clock
    draws: Array.from({ length: 32 }, () => dice.between(-1, 1)),
  };
}

function someJob(name: string, dice: Dice, lease: number): JobPlan {
  return {
    name,
    submittedAt: dice.next() < 0.7 ? 0 : dice.between(0, lease * 2),
    takes: dice.pick([10, 500, lease / 4, lease * 1.5, lease * 4]) * dice.between(0.5, 1.5),
    fails: dice.pick(["never", "never", "first", "always"]),
    isDeaf: dice.next() < 0.3,
  };
}

/** @param until time in ms at which operators and recruiters stop to act */
export function withTraits(scene: Scene, traits: readonly Trait[], dice: Dice, until: number): Scene {
  // The jobs run one after the other, some of them several times, and all must end. So all jobs are short.
  const longest = leaseOf(scene.settings) * 1.5;
  let changed: Scene = {
    ...scene,
    jobs: scene.jobs.map((job) => ({ ...job, takes: Math.min(job.takes, longest) })),
  };
  for (const trait of Object.keys(CHANGES) as Trait[]) {
    if (traits.includes(trait)) changed = { ...changed, ...CHANGES[trait](changed, dice, until) };
  }
  return changed;
}

type Changed = (scene: Scene, dice: Dice, until: number) => Partial<Scene>;

/** The order matters, because some changes use the jobs that others make. */
const CHANGES: Readonly<Record<Trait, Changed>> = {
  checkpoint: ({ jobs }, dice) => ({
    jobs: jobs.map((job) => (dice.next() < 0.7 ? { ...job, requeues: dice.pick([1, 2]) } : job)),
  }),
  array: ({ jobs, settings }, dice) => ({
    jobs: jobs.map((job, index) =>
      index === 0
        ? {
            ...job,
            name: "A",
            range: dice.pick(["1-3", "1-4", "2-5"]),
            takes: Math.min(job.takes, leaseOf(settings) / 4),
          }
        : job,
    ),
  }),
  // Many jobs that take a few ms, so that several lie in a worker's lane. Some of them take long.
  swift: ({ jobs, settings }, dice) => ({
    jobs: jobs.map((job) => ({
      ...job,
      takes: dice.pick([1, 1, 3, 8, 30, leaseOf(settings) / 4]) * dice.between(0.5, 1.5),
      ...(job.range !== undefined || dice.next() < 0.7
        ? { name: job.name.toUpperCase(), range: dice.pick(["1-6", "1-9", "3-12"]) }
        : {}),
    })),
  }),
  after: ({ jobs }, dice) => ({
    jobs: jobs.map((job, index) => {
      if (index === 0) return job;
      const names = jobs.slice(0, index).map(({ name }) => `${name}${dice.next() < 0.3 ? ":any" : ""}`);
      return { ...job, after: dice.next() < 0.5 ? names.join(", ") : dice.pick(names) };
    }),
  }),
  namesakes: ({ jobs }) => ({
    jobs: jobs.map((job) => ({ ...job, name: "a", fails: jobs[0]?.fails ?? "never" })),
  }),
  dropped: ({ jobs, settings, grain }, dice) => {
    const pause = () => dice.next() * (settings.settle * 1000 - Math.min(grain, 1)) * 0.95;
    const arrives = () => (dice.next() < 0.3 ? ("moved" as const) : { pauses: [pause(), pause()] as const });
    // With times in whole seconds, fjord could not see that a file changes after a pause of a second.
    return { grain: Math.min(grain, 1), jobs: jobs.map((job) => ({ ...job, arrives: arrives() })) };
  },
  "one-host": () => ({ isOneHost: true }),
  bells: () => ({ hasBells: true }),
  operator: ({ jobs }, dice, until) => ({
    deeds: times(dice, until, 8).map((at): Deed => {
      const { name, range } = dice.pick(jobs);
      const words = range === undefined ? [name] : [name, `${name}_2`, `${name}_{2..3}`, `${name}_3`];
      const what = dice.pick(["cancel", "hold", "hold", "release", "retry"] as const);
      return { at, what, word: dice.pick(words), patience: dice.pick([1, 5, 20]) };
    }),
  }),
  // Jobs of one name come one after the other. An operator removes each ended job with its logs.
  cleaned: ({ jobs }, dice, until) => {
    const fails = dice.pick(["always", "always", "never"] as const);
    const submittedAt = (index: number) => (until * index) / jobs.length;
    return {
      jobs: jobs.map((job, index) => ({ ...job, name: "a", submittedAt: submittedAt(index), fails })),
      deeds: times(dice, until, 12).map((at): Deed => ({ at, what: "clean", word: "a", patience: 1 })),
      isOneAfterTheOther: true,
    };
  },
  fired: (_, dice, until) => ({
    firings: times(dice, until, 4).map(
      (at): Firing => ({
        at,
        now: dice.next() < 0.5,
        patience: dice.pick([1, 10]),
        untilGone: dice.next() < 0.2,
        hires: dice.next() < 0.7,
        ...(dice.next() < 0.8 && { who: dice.next() * 0.999 }),
      }),
    ),
  }),
  long: () => ({ isLong: true }),
};

export const TRAITS = Object.keys(CHANGES) as Trait[];

/** Several random traits. `namesakes` and `cleaned` change the jobs' names and do not go together with others. */
export function someTraits(dice: Dice): Trait[] {
  return TRAITS.filter((trait) => dice.next() < 0.4 && trait !== "namesakes" && trait !== "cleaned");
}

function times(dice: Dice, until: number, most: number): number[] {
  const count = 1 + Math.floor(dice.next() * most);
  return Array.from({ length: count }, () => dice.next() * until).sort((a, b) => a - b);
}
