import type { Dice } from "../faults/harness.js";
import type { JobPlan } from "./jobs.js";
import type { Deed } from "./operator.js";
import { leaseOf, settingsFor } from "./play.js";
import type { Firing } from "./recruiter.js";
import type { Scene } from "./stage.js";

/** What a walk has besides jobs, workers and dispatchers. */
export type Trait =
  | "operator"
  | "fired"
  | "checkpoint"
  | "after"
  | "array"
  | "dropped"
  | "namesakes"
  | "one-host"
  | "bells"
  | "long";

/** Two jobs or three, as chance has it. */
export function someScene(kind: "local" | "network", dice: Dice): Scene {
  const settings = settingsFor(kind);
  const lease = leaseOf(settings);
  // At the longest as nfs(5) has it, 60 s, to the default of a lease, 300 s.
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

/** @param until ms: what goes on goes on until then */
export function withTraits(scene: Scene, traits: readonly Trait[], dice: Dice, until: number): Scene {
  // One after the other, some of them several times, they have to come to an end.
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

/** In this order, as some look at the jobs that others make. */
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
    // Where times are counted in seconds, a pause of as long as that is not seen.
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

/** Some of them together, as a seed has it; two jobs of a name are for themselves. */
export function someTraits(dice: Dice): Trait[] {
  return TRAITS.filter((trait) => dice.next() < 0.4 && trait !== "namesakes");
}

function times(dice: Dice, until: number, most: number): number[] {
  const count = 1 + Math.floor(dice.next() * most);
  return Array.from({ length: count }, () => dice.next() * until).sort((a, b) => a - b);
}
