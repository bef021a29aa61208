import type { Settings } from "../project/settings.js";
import type { Store } from "../store/store.js";
import type { Greeting, PeerProcess } from "./peer-process.js";

/** Argument of all tests. */
export interface TestContext {
  /** Directory for the files of the tests, below the tested directory. */
  readonly scratch: string;
  readonly store: Store;
  /** `store` of settings.ini. */
  readonly storeSetting: Settings["store"];
  /** Settings of the project, or the defaults of a project here. */
  readonly settings: Pick<Settings, "beat" | "lostAfter" | "poll">;
  readonly local: PeerProcess;
  readonly remote: PeerProcess;
  readonly greetings: { readonly local: Greeting; readonly remote: Greeting };
  readonly skew: Skew;
  readonly signal: AbortSignal;
}

/** Difference between the clocks of the two processes, in ms. */
export interface Skew {
  /** Time by which the other clock is ahead of this one. */
  readonly offset: number;
  /** Largest error of `offset`. */
  readonly error: number;
}

/** Whether the other process runs on another host. Two hosts have different boot ids. */
export function areTwoHosts({ greetings: { local, remote } }: Pick<TestContext, "greetings">): boolean {
  return local.space.split("/")[0] !== remote.space.split("/")[0];
}
