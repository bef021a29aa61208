import { jobName } from "../job/name.js";
import type { Outcome } from "../job/outcome.js";
import type { Project } from "./project.js";

/** A job that was accepted. */
export class SubmittedJob {
  readonly name: string;
  readonly #project: Project;
  #outcome: Promise<Outcome> | undefined;

  constructor(project: Project, file: string) {
    this.#project = project;
    this.name = jobName(file);
  }

  /** How it ends: waited for from the first time that it is asked for. A job that was removed by hand is cancelled. */
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
    // No ledger tells: it was put into its room by hand.
    if (record?.state === "done") return { kind: "succeeded" };
    return { kind: "cancelled", reason: "nobody knows why" };
  }
}
