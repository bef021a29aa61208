import type { Logger } from "pino";
import type { Ledger } from "../ledger/ledger.js";
import type { Site } from "../store/site.js";
import type { Locksmith } from "./locksmith.js";

/** Process that records its actions on jobs in its own ledger. */
export interface Recorder extends Site {
  readonly ledger: Pick<Ledger, "append">;
}

/** Worker or dispatcher at work. */
export interface Actor extends Recorder {
  readonly id: string;
  readonly ledger: Ledger;
  readonly locksmith: Locksmith;
  readonly log: Logger;
}
