import type { Trait } from "./scene.js";
import type { Call } from "./world.js";

/** A call, by what it is and the path that it is of. */
type Moment = readonly [string, RegExp];

/** Moments at which it matters whether one is killed or held up: just before such a call. */
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
  ["unlink", /\.pulse/], // S7: written, and not known to be
  ["touch", /workerqueue/],
];

/** And those that matter where these are. */
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
    ["mkdir", /\/jobpod\/w/], // announced, and without a desk
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

/** Moments for a walk with these. */
export function momentsOf(traits: readonly Trait[]): readonly Moment[] {
  return [...MOMENTS, ...traits.flatMap((trait) => MOMENTS_OF[trait] ?? [])];
}

const CLEARING = new Set(["rename", "tail", "unlink", "rmdir"]);

/** A call by which others take away what is a worker's, or take over; not the first ones of these, as many as said. */
export function isAbout(name: string, skipped = 0): (call: Call) => boolean {
  let left = skipped;
  const whose = new RegExp(name.startsWith("w") ? `(jobpod|ledger)/${name}-` : "dispatcher\\.(ini|lock)$");
  return ({ actor, what, path }) => {
    if (actor.name === name || !CLEARING.has(what) || !whose.test(path)) return false;
    return left-- === 0;
  };
}

/** Somebody is killed or held up, at the first such moment from a time on; at any call if none is said. */
export interface Mishap {
  readonly at: number;
  readonly isKill: boolean;
  readonly moment: Moment | undefined;
}
