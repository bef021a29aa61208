import type { Dependency } from "../job/after.js";
import type { Actor } from "../spool/actor.js";
import { changeParts } from "../spool/array-changes.js";
import type { PartKind } from "../spool/array-parts.js";
import { cancelOrHold } from "../spool/cancel.js";
import type { Site } from "../store/site.js";
import { judge, type Standing, Standings } from "./standing.js";

/** A job in the queue, or an array, that waits for other jobs. */
export interface Blocked {
  readonly file: string;
  readonly job: string;
  readonly after: readonly Dependency[];
  readonly isArray?: boolean;
}

/** The blocked jobs for which a look has made a decision. All other blocked jobs go on waiting. */
export interface Resolved {
  readonly free: readonly Blocked[];
  /** Jobs that were cancelled because they could never run, each with the reason. */
  readonly cancelled: readonly (Blocked & { readonly reason: string })[];
}

const WAITING: ReadonlySet<PartKind> = new Set(["waiting"]);

/**
 * Decides about the jobs that wait for other jobs. A job stays in the queue, where everybody sees it, until the other jobs have
 * ended.
 */
export class Dependencies {
  readonly #actor: Pick<Actor, keyof Site | "id" | "ledger">;
  readonly #standings: Standings;

  /** @param isOpen whether a job of this name waits or runs, as far as the dispatcher knows */
  constructor(actor: Pick<Actor, keyof Site | "id" | "ledger">, isOpen: (job: string) => boolean) {
    this.#actor = actor;
    this.#standings = new Standings(actor, isOpen);
  }

  /** Finds out which jobs may run now, and cancels the jobs that can never run. */
  async resolve(blocked: readonly Blocked[]): Promise<Resolved> {
    const standings = new Map<string, Standing>();
    for (const { job } of blocked.flatMap(({ after }) => after)) {
      if (!standings.has(job)) standings.set(job, await this.#standings.read(job));
    }
    const free: Blocked[] = [];
    const cancelled: (Blocked & { readonly reason: string })[] = [];
    let left = blocked;
    for (let isChanged = true; isChanged; ) {
      isChanged = false;
      const still: Blocked[] = [];
      for (const one of left) {
        const verdict = judge(one.after, (job) => standings.get(job) ?? "unknown");
        if (verdict.kind === "free") free.push(one);
        else if (verdict.kind === "waits") still.push(one);
        else {
          cancelled.push({ ...one, reason: await this.#cancel(one, verdict.because) });
          standings.set(one.job, "failed");
          isChanged = true; // other jobs may wait for this one
        }
      }
      left = still;
    }
    return { free, cancelled };
  }

  async #cancel({ file, job, isArray }: Blocked, because: string): Promise<string> {
    const reason = `it waited for ${because}, which did not succeed`;
    const by = this.#actor.id;
    await this.#actor.ledger.append({ event: "cancelled", job, attempt: 0, by, reason, because });
    if (isArray === true) await changeParts(this.#actor, job, WAITING, "cancelled");
    else await cancelOrHold(this.#actor, "cancel", this.#actor.layout.queued(file), file);
    return reason;
  }
}
