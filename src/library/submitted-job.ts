import { jobName } from "../job/name.js";
import type { Outcome } from "../job/outcome.js";
import type { JobRecord } from "../jobs/record.js";
import type { WaitResult } from "../jobs/wait.js";

/** The abilities of `Project` that a submitted job uses. */
interface Home {
  wait(jobs: readonly string[]): Promise<WaitResult>;
  records(selection: readonly string[]): Promise<JobRecord[]>;
}

/** A job that was accepted. */
export class SubmittedJob {
  readonly name: string;
  readonly #project: Home;
  #outcome: Promise<Outcome> | undefined;

  constructor(project: Home, file: string) {
    this.#project = project;
    this.name = jobName(file);
  }

  /** Resolves when the job has ended. The wait begins with the first use. A job whose file was removed counts as cancelled. */
  get outcome(): Promise<Outcome> {
    this.#outcome ??= this.#wait();
    return this.#outcome;
  }

  async #wait(): Promise<Outcome> {
    const { ended } = await this.#project.wait([this.name]);
    if (ended[0]?.state === "gone") return { kind: "cancelled", reason: "its file was removed" };
    const [record] = await this.#project.records([this.name.replace(/[*?[\]{}\\]/g, "\\$&")]);
    if (record?.refused !== undefined) return { kind: "refused", reason: record.refused };
    if (record?.cancelled !== undefined) return { kind: "cancelled", reason: record.cancelled };
    const outcome = record?.attempts.at(-1)?.outcome;
    if (outcome !== undefined) return outcome;
    // No ledger records the end, so somebody has moved the file by hand.
    if (record?.state === "done") return { kind: "succeeded" };
    return { kind: "cancelled", reason: "the ledger does not say why" };
  }
}
