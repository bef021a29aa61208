import { bullmq } from "./bullmq.js";
import { launchers } from "./launchers.js";
import type { Peer } from "./peer.js";
import { RUNNERS } from "./runners.js";
import { slurm } from "./slurm.js";
import { SPOOLERS } from "./spoolers.js";

/** @param dir directory in which the packages of peers were installed with npm, if `--peers` was given */
export function peers(dir: string | undefined): readonly Peer[] {
  return [launchers, ...RUNNERS, ...SPOOLERS, bullmq(dir), slurm];
}
