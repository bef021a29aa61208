import type { Demand } from "../job/demand.js";
import type { Actor } from "../spool/actor.js";
import { type Assignment, assign, moveToDesk, writeOrder } from "../spool/assign.js";
import { isDenied } from "../store/store.js";
import type { Desk } from "./desks.js";
import type { KnownJobs } from "./known-jobs.js";
import type { Waiting } from "./line.js";
import type { Looks } from "./looks.js";
import { type Load, plan, type Step, type Supply } from "./plan.js";

/** The supply of the workers on a local file system. */
const LOCAL_SUPPLY: Supply = { refill: 0.1, ahead: 0.6 };

/** S2: carries out the plan, which distributes the waiting jobs over the desks. */
export class HandOut {
  readonly #actor: Actor;
  readonly #looks: Looks;
  readonly #jobs: KnownJobs;

  constructor(actor: Actor, looks: Looks) {
    this.#actor = actor;
    this.#looks = looks;
    this.#jobs = looks.jobs;
  }

  /** @param isOneByOne whether a desk may hold only the job that runs, because the dispatcher may stop after any job */
  async act(isOneByOne: boolean): Promise<void> {
    const { desks } = this.#jobs;
    for (const step of await this.#plan(isOneByOne)) {
      switch (step.kind) {
        case "give":
          await this.#give(desks.of(step.worker), step.demand, step.count);
          break;
        case "move":
          await this.#move(desks.of(step.from), desks.of(step.to), step.count);
          break;
        default: {
          const unknown: never = step;
          throw new Error(`unknown step: ${unknown}`);
        }
      }
    }
  }

  /**
   * Plans the steps. Between two hints, a worker may have run most of the jobs on its desk. So a desk from which jobs should be
   * moved is read, and the plan is made again.
   */
  async #plan(isOneByOne: boolean): Promise<Step[]> {
    const { store, settings } = this.#actor;
    const { stock } = this.#jobs;
    const hasEvents = store.kind === "local" || isOneByOne;
    const apart = settings.poll * 2;
    const supply = isOneByOne
      ? { refill: 0, ahead: 0 }
      : hasEvents
        ? LOCAL_SUPPLY
        : { refill: apart, ahead: apart };
    const make = () => plan(this.#loads(), stock.demands, supply, hasEvents);
    const steps = make();
    const donors = new Set(steps.flatMap((step) => (step.kind === "move" ? [step.from] : [])));
    if (donors.size === 0) return steps;
    for (const worker of donors) await this.#looks.readDesk(worker);
    return make();
  }

  /** The workers that take jobs. */
  #loads(): Load[] {
    const now = this.#actor.store.clock.now();
    const loads: Load[] = [];
    for (const { worker, announcement, stands, capacity, jobs, changedAt } of this.#jobs.desks.all) {
      if (!stands || announcement === undefined || this.#looks.isSuspect(worker)) continue;
      const { state, pace } = announcement;
      if (state === "leaving" || state === "stalled") continue;
      loads.push({ worker, capacity, jobs, pace, still: (now - changedAt) / 1000 });
    }
    return loads;
  }

  async #give(desk: Desk, demand: Demand, count: number): Promise<void> {
    const { stock, desks } = this.#jobs;
    const batch = this.#takeBatch(demand, count);
    await this.#writeOrder(desk, batch);
    for (const [index, job] of batch.entries()) {
      const assigned = assign(this.#actor, job.file, desk.worker);
      const assignment = assigned instanceof Promise ? await this.#settle(job, desk, assigned) : assigned;
      if (assignment === "assigned") desks.put(desk, { file: job.file, demand, mark: job });
      if (assignment === "no-desk") {
        desk.stands = false;
        for (const rest of batch.slice(index).reverse()) stock.putBack(rest);
        return;
      }
    }
  }

  /** S2: writes the order of a desk, which gets some more jobs. A single job needs none. */
  async #writeOrder(desk: Desk, more: readonly { readonly file: string }[]): Promise<void> {
    if (desk.jobs.size + more.length < 2) return;
    await writeOrder(this.#actor, desk.worker, [...desk.jobs.keys(), ...more.map(({ file }) => file)]);
  }

  /** S2: a job waits while another one of its name is on a desk, or will return from one. */
  #takeBatch(demand: Demand, count: number): Waiting[] {
    const { stock, desks, retries } = this.#jobs;
    const batch: Waiting[] = [];
    const namesakes: Waiting[] = [];
    const fits = ({ key }: Demand) => key === demand.key;
    while (batch.length < count) {
      const job = stock.take(fits);
      if (job === undefined) break;
      if (desks.holds(job.file) || retries.holds(job.file)) namesakes.push(job);
      else batch.push(job);
    }
    for (const job of namesakes.reverse()) stock.putBack(job);
    return batch;
  }

  /** Waits for an assignment, and settles what follows if the job was not assigned. */
  async #settle(job: Waiting, desk: Desk, first: Promise<Assignment>): Promise<Assignment> {
    const { stock } = this.#jobs;
    for (let isSecond = false; ; isSecond = true) {
      try {
        const assignment = await (isSecond ? assign(this.#actor, job.file, desk.worker) : first);
        if (assignment === "gone") await stock.noteWithdrawn(job);
        return assignment;
      } catch (error) {
        if (!isDenied(error) || (await stock.isClosed())) {
          stock.putBack(job);
          throw error;
        }
        // The store may have denied this one call, or the permissions of the file deny every call. A second try shows which.
        if (!isSecond) continue;
        stock.setAside(job.file, error);
        return "gone";
      }
    }
  }

  /** S4: moves the last jobs that fit and that their worker has not claimed. */
  async #move(from: Desk, to: Desk, count: number): Promise<void> {
    const { desks } = this.#jobs;
    const fitting = [...from.jobs.values()].filter(({ demand }) => to.capacity.fits(demand));
    await this.#writeOrder(to, fitting.slice(-count));
    let moved = 0;
    for (const job of fitting.reverse()) {
      if (moved === count) return;
      if (!(await moveToDesk(this.#actor, job.file, from.worker, to.worker))) continue;
      desks.take(from, job.file);
      desks.put(to, job);
      moved++;
    }
  }
}
