import type { Ending } from "../spool/ending.js";
import type { Progress } from "./progress.js";

/** An event that the dispatcher reports to the program that runs it. */
export type DispatcherEvent =
  | { kind: "progress"; progress: Progress }
  | { kind: "refused"; file: string; reason: string }
  | {
      kind: "worker-lost";
      worker: string;
      reason: string;
      back: number;
      givenUp: number;
      /** Names of the jobs that went back to the queue. The job that ran comes first. */
      jobs: string[];
    }
  /** `attempt`: one more than the number of failed attempts. `log`: the output of the last attempt. */
  | ({ kind: "retry"; job: string; attempt: number; of: number } & Omit<Ending, "attempt">)
  | ({ kind: "failed"; job: string } & Ending)
  | ({ kind: "given-up"; job: string; reason: string } & Ending)
  | { kind: "cancelled"; job: string; reason: string }
  | { kind: "trouble"; message: string };
