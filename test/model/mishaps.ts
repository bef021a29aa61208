import type { Trait } from "./scene.js";
import type { Call } from "./world.js";

/** A kind of call, and a pattern for its path. */
type Moment = readonly [string, RegExp];

/** Critical calls. A kill or a delay just before one of them may cause an error. */
const MOMENTS: readonly Moment[] = [
  ["rename", /\/jobqueue\/\w+\.ini \S+\/jobpod/], // S2
  ["link", /\.lock/], // S3, S4
  ["read", /jobpod\/w\S+\.ini/],
  ["create", /joblogs/], // S5
  ["append", /ledger\/w/],
  ["append", /ledger\/d/],
  ["rename", /\/jobpod\/w\S+\.ini \S+\/jobdone/], // S6
  ["rename", /\/jobpod\/w\S+\.ini \S+\/jobpod/],
  ["unlink", /\.lock/],
  ["rename", /\.lost$/], // S8
  ["list", /\.lost/],
  ["rename", /\.lost\//],
  ["tail", /ledger/],
  ["rename", /retry\/\w+\.ini \S+\/job/], // S9
  ["list", /jobqueue/],
  ["touch", /dispatcher\.lock/],
  ["rename", /dispatcher\.ini/],
  ["unlink", /\.pulse/], // S7: the beat is written, but the worker does not know that
  ["touch", /workerqueue/],
];

/** Further calls of this kind, by trait. */
const MOMENTS_OF: Partial<Readonly<Record<Trait, readonly Moment[]>>> = {
  operator: [
    ["rename", /\/job(cancelled|held)\//], // S4
    ["rename", /\/job(held|failed|cancelled)\/\S+ \S+\/jobqueue/],
    ["create", /\.ask\./],
    ["unlink", /\.ask\./],
    ["tail", /\.ask\./],
    ["list", /jobpod/],
  ],
  fired: [
    ["create", /\.fire/],
    ["mkdir", /\/jobpod\/w/], // the worker is announced, but has no desk
    ["rename", /\/jobpod\/w\S+\.ini \S+\/jobqueue/],
    ["rmdir", /\/jobpod\/w/],
    ["unlink", /workerqueue/],
  ],
  checkpoint: [
    ["unlink", /jobcheckpoints/],
    ["rmdir", /jobcheckpoints/],
    ["rename", /retry\/\S+ \S+\/jobqueue/],
  ],
  after: [
    ["rename", /\/jobqueue\/\S+ \S+\/jobcancelled/],
    ["has", /\/jobqueue\//],
    ["facts", /\/jobdone\//],
  ],
  array: [
    ["rename", /\/jobqueue\/\S+ \S+\/jobarrays/], // S11
    ["rename", /\.new \S+/],
    ["mkdir", /\.pieces\./],
    ["create", /\.pieces\./],
    ["rename", /\.out$/],
    ["rename", /\.out\/\S+ \S+\/jobqueue/],
    ["rename", /\.split$/],
    ["rmdir", /jobarrays/],
    ["list", /jobarrays/],
  ],
  namesakes: [
    ["has", /\/(jobqueue|retry)\//],
    ["rename", /\/retry\//],
  ],
};

/** The critical calls in a walk with these traits. */
export function momentsOf(traits: readonly Trait[]): readonly Moment[] {
  return [...MOMENTS, ...traits.flatMap((trait) => MOMENTS_OF[trait] ?? [])];
}

const CLEARING = new Set(["rename", "tail", "unlink", "rmdir"]);

/**
 * Matches a call with which another actor takes over from this one, or removes its files.
 *
 * @param skipped number of such calls to skip first
 */
export function isAbout(name: string, skipped = 0): (call: Call) => boolean {
  let left = skipped;
  const whose = new RegExp(name.startsWith("w") ? `(jobpod|ledger)/${name}-` : "dispatcher\\.(ini|lock)$");
  return ({ actor, what, path }) => {
    if (actor.name === name || !CLEARING.has(what) || !whose.test(path)) return false;
    return left-- === 0;
  };
}

/** An actor is killed or delayed at the first such call after a time. If undefined, at any call. */
export interface Mishap {
  readonly at: number;
  readonly isKill: boolean;
  readonly moment: Moment | undefined;
}
