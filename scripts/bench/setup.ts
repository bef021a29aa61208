import type { Peer, PeerVersion } from "./peers/peer.js";
import type { Scratch } from "./scratch.js";

/** Argument of every measurement. */
export interface Setup {
  readonly scratch: Scratch;
  readonly rounds: number;
  /** Number of empty jobs in each round of `speed`. */
  readonly jobs: number;
  readonly cores: number;
  /** Other queues and runners, and whether each is installed. */
  readonly peers: readonly { readonly peer: Peer; readonly found: PeerVersion }[];
  /** Shows the current step on a terminal. */
  readonly tell: (what: string) => void;
}
