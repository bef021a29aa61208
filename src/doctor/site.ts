import type { Settings } from "../project/settings.js";
import type { Store } from "../spool/store.js";
import type { Greeting, Party } from "./party.js";

/** What all tests are given. */
export interface Site {
  /** A directory of the tests' own, below that in question. */
  readonly scratch: string;
  readonly store: Store;
  /** What settings.ini says of the store. */
  readonly said: Settings["store"];
  /** Of the project, or what a project here would have. */
  readonly settings: Pick<Settings, "beat" | "lostAfter" | "poll">;
  readonly here: Party;
  readonly there: Party;
  readonly greetings: { readonly here: Greeting; readonly there: Greeting };
  readonly skew: Skew;
  readonly signal: AbortSignal;
}

/** How far the clock of the other process is before ours, ms, and how far that may be wrong. */
export interface Skew {
  readonly offset: number;
  readonly error: number;
}

/** Whether the other process runs on another host: then its boot is another. */
export function areTwoHosts({ greetings: { here, there } }: Pick<Site, "greetings">): boolean {
  return here.space.split("/")[0] !== there.space.split("/")[0];
}
