import type { Call } from "./world.js";

/** Moments at which it matters whether one is killed or held up: just before such a call. */
export const MOMENTS: readonly (readonly [string, RegExp])[] = [
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
];

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
  readonly moment: (typeof MOMENTS)[number] | undefined;
}
