import "proper-lockfile"; // now, not amid a walk: nothing there may take real time
import { pino } from "pino";
import { dispatchAs } from "../../src/compose/dispatch.js";
import { FjordError } from "../../src/job/error.js";
import { Layout } from "../../src/project/layout.js";
import type { Settings } from "../../src/project/settings.js";
import { isErrno, isSystemError } from "../../src/spool/store.js";
import { submit } from "../../src/spool/submit.js";
import { Worker } from "../../src/worker/worker.js";
import { type Accepted, judge, type Violation } from "../checker/checker.js";
import { Bells } from "./bells.js";
import { type Caches, Client } from "./client.js";
import { Dropper } from "./dropper.js";
import { evidenceOf } from "./evidence.js";
import {
  ALLOWED_RETRIES,
  dependenciesOf,
  endOf,
  type JobPlan,
  leavesCheckpoint,
  statusOf,
  textOf,
} from "./jobs.js";
import { ModelLauncher, type Script } from "./launcher.js";
import { type Deed, operate, releaseAll } from "./operator.js";
import { type Firing, recruit } from "./recruiter.js";
import { DRIFT, Roll } from "./roll.js";
import { Server } from "./server.js";
import { Watch } from "./watch.js";
import { type Actor, type Scheduler, World } from "./world.js";

/** What differs from one model to another. */
export interface Scene {
  readonly kind: "local" | "network";
  readonly settings: Settings;
  readonly caches: Caches;
  /** Of the server's times, ms. */
  readonly grain: number;
  readonly jobs: readonly JobPlan[];
  /** Whether the second worker comes later. */
  readonly isAlone: boolean;
  /** By how much a wall clock is wrong, ms; -1 to 1 is drawn for each actor. */
  readonly skew: number;
  /** -1 to 1, one for each actor in turn. */
  readonly draws: readonly number[];
  /** What an operator does, in order of time. */
  readonly deeds?: readonly Deed[];
  /** Whom a recruiter fires, in order of time. */
  readonly firings?: readonly Firing[];
  /** All actors are on one host, each a process whose end the others know; else each is on one of its own. */
  readonly isOneHost?: boolean;
  /** Watch events come. */
  readonly hasBells?: boolean;
  /** Queues are listed piece by piece, a name at a time. */
  readonly isLong?: boolean;
}

const log = pino({ level: "silent" });

/** Who has entered, and what it sees of the project. */
interface Entered {
  readonly actor: Actor;
  readonly store: Client;
}

/** The project in the model, and those who work in it: the real code of dispatcher, worker, spool and commands. */
export class Stage {
  readonly world: World;
  readonly watch: Watch;
  readonly server: Server;
  readonly layout = new Layout("/p");
  readonly scene: Scene;
  readonly #dropper: Dropper;
  readonly #bells = new Bells();
  /** Of those who have not ended, what ends them. */
  readonly #present = new Map<Actor, AbortController>();
  readonly #seated = new Set<string>();
  #count = 0;
  #hired = 0;
  /** Of the ledgers' writers, those whose last line may be torn. */
  wasFull = false;

  constructor(scene: Scene, scheduler: Scheduler) {
    this.scene = scene;
    this.world = new World(scheduler);
    this.server = new Server(() => this.world.wall, scene.grain);
    const { world, server, layout } = this;
    const { beat, lostAfter } = scene.settings;
    const isKnownDead = (worker: string) =>
      scene.isOneHost === true &&
      (world.actors.find(({ name }) => worker.startsWith(`${name}-`))?.isOver ?? false);
    const roll = new Roll(world, server, layout, beat * lostAfter * 1000, isKnownDead);
    this.watch = new Watch(world, server, layout, scene.jobs, roll);
    server.onRead = (path) => roll.seeLook(path);
    server.onChange = (change) => {
      this.watch.see(change);
      this.#bells.see(change);
    };
    server.mkdir(server.root, "p", "/p");
    for (const path of layout.directories()) {
      const [dir, name] = server.parentOf(path, () => undefined);
      server.mkdir(dir, name, path);
    }
    this.#dropper = new Dropper(world, server, layout, this.watch);
  }

  /** A worker; declared lost, it comes back under another id. */
  hire(name = `w${++this.#hired}`): Actor {
    const { actor, store } = this.#enter(name);
    const { layout, world } = this;
    actor.begin(async () => {
      for (let n = 1, end = ""; end !== "left"; n++) {
        const id = [name, n].join("-");
        const startLauncher = () => new ModelLauncher(actor, id, this.#script, this.watch.runs);
        const setup = {
          store,
          layout,
          settings: this.scene.settings,
          log,
          id,
          directory: "/",
          startLauncher,
        };
        end = await new Worker(setup).onDuty().catch(async (error) => {
          if (!isSystemError(error)) throw error;
          await actor.clock.sleep(1000);
          return String(error);
        });
        world.note(`${id}: ${end}`);
      }
      this.#leave(actor);
    });
    return actor;
  }

  /** A dispatcher, who stands by while there is another. */
  dispatch(name: string, stay = false): Actor {
    const { actor, store } = this.#enter(name);
    const stop = new AbortController();
    this.#present.set(actor, stop);
    const { layout, world, scene } = this;
    actor.begin(async () => {
      const tell = async (event: { kind: string }) => {
        if (event.kind === "started") this.#seated.add(name);
        if (event.kind !== "progress") world.note(`${name} tells: ${event.kind}`);
        if (event.kind !== "all-ended") return;
        const age = scene.kind === "network" ? scene.caches.listings : 0;
        this.watch.seeAllEnded(name, (store.listedAt.get(layout.jobqueue) ?? 0) - age);
      };
      await retried(actor, () =>
        dispatchAs({ id: `${name}-d-1`, log }, stop.signal, store, layout, scene.settings, { stay }, tell),
      );
      this.#leave(actor);
    });
    return actor;
  }

  /** All who bring jobs, and who interfere with them. */
  beginDeeds(): void {
    const { layout, watch } = this;
    const { jobs, deeds = [], firings = [], settings } = this.scene;
    const isDropped = ({ arrives = "submitted" }: JobPlan) => arrives !== "submitted";
    for (const [index, plan] of jobs.entries()) if (isDropped(plan)) this.#dropper.drop(plan, index);
    this.#submitAll([...jobs.entries()].filter(([, plan]) => !isDropped(plan)));
    if (deeds.length > 0) {
      const operator = this.#enter("op1");
      operator.actor.begin(async () => {
        await operate(operator, layout, settings.flush, deeds, watch);
        this.#leave(operator.actor);
      });
    }
    if (firings.length > 0) {
      const recruiter = this.#enter("r1");
      recruiter.actor.begin(async () => {
        await recruit(recruiter, layout, settings, firings, watch, () => void this.hire());
        this.#leave(recruiter.actor);
      });
    }
  }

  /** S1, by somebody who gives a job up when the store has trouble, and waits while its name is taken. What waits for one that was given up is, too. */
  #submitAll(jobs: readonly (readonly [number, JobPlan])[]): void {
    const { actor, store } = this.#enter("s");
    const givenUp = new Set<string>();
    actor.begin(async () => {
      for (const [index, plan] of jobs) {
        if (dependenciesOf(plan).some(({ name }) => givenUp.has(name))) {
          givenUp.add(plan.name); // it would wait for ever
          continue;
        }
        await actor.clock.sleep(plan.submittedAt - this.world.time);
        await this.#submit(store, plan, index).catch((error) => {
          if (!isSystemError(error)) throw error;
          givenUp.add(plan.name);
        });
      }
      this.#leave(actor);
    });
  }

  async #submit(store: Client, plan: JobPlan, index: number): Promise<void> {
    for (;;) {
      try {
        return await submit(
          store,
          this.layout,
          `${plan.name}.ini`,
          textOf(plan, index),
          this.scene.settings.flush,
        );
      } catch (error) {
        if (!(error instanceof FjordError)) throw error;
        await store.clock.sleep(1000);
      }
    }
  }

  /** All jobs have been brought, and nobody interferes any more. */
  get hasAllBegun(): boolean {
    const isDoing = ({ name, state }: Actor) => /^(?:s$|op|r\d)/.test(name) && state !== "dead";
    return this.#dropper.isDone && ![...this.#present.keys()].some(isDoing);
  }

  /** Nothing goes wrong any more: all jobs have to end, all have to go, and nothing may be left. */
  async close(): Promise<void> {
    const { world, layout } = this;
    for (const actor of world.actors) if (actor.state !== "dead") actor.state = "live";
    this.hire("w9");
    this.dispatch("d9", true);
    const most = 100_000;
    if (!(await world.run(() => this.hasAllBegun, most))) {
      return world.fail(`no progress: not all has been done\n${this.tree()}`);
    }
    this.hire("w8"); // the recruiter may have fired all
    const last = this.#enter("op9");
    last.actor.begin(async () => {
      await retried(last.actor, () => releaseAll(last, layout, this.watch));
      this.#leave(last.actor);
    });
    if (!(await world.run(() => this.hasAllBegun && this.watch.areAllEnded, most))) {
      return world.fail(`no progress: jobs have not ended\n${this.tree()}`);
    }
    const { actor: boss, store } = this.#enter("boss");
    const isHired = () => [...this.#present.keys()].some((a) => a.name.startsWith("w") && a.state !== "dead");
    const hasWorkers = () =>
      isHired() ||
      [layout.workerqueue, layout.jobpod].some((dir) =>
        [...(this.server.find(dir)?.entries?.keys() ?? [])].some(
          (name) => !name.startsWith(".") && name !== "retry",
        ),
      );
    boss.begin(async () => {
      while (hasWorkers()) {
        for (const file of await store.list(layout.workerqueue)) {
          const worker = layout.workerOf(file);
          if (worker === undefined) continue;
          await store.create(layout.note(worker, "fire"), "").catch((error) => {
            if (!isErrno(error, "ENOENT", "EEXIST", "ESTALE")) throw error;
          });
        }
        await boss.clock.sleep(1000);
      }
      this.#leave(boss);
    });
    if (!(await world.run(() => !hasWorkers(), most))) {
      return world.fail(`no progress: workers have not left\n${this.tree()}`);
    }
    // The last one has to have had the seat: it clears up after those who were killed.
    const isGone = (name: string) =>
      [...this.#present.keys()].every((a) => a.name !== name || a.state === "dead");
    const isLast = () => isGone("d1") && isGone("d2") && this.#seated.has("d9");
    for (const [actor, stop] of this.#present) if (actor.name !== "d9") stop.abort();
    if (!(await world.run(isLast, most))) return world.fail(`no progress: nobody dispatches\n${this.tree()}`);
    for (const stop of this.#present.values()) stop.abort();
    if (!(await world.run(() => isGone("d9"), most)))
      world.fail(`no progress: not all have gone\n${this.tree()}`);
  }

  /** What the checker has to say, in the end. */
  judge(): Violation[] {
    const { jobs, deeds = [] } = this.scene;
    const isTouched = ({ name }: JobPlan) =>
      deeds.some(({ word }) => word === name || word.startsWith(`${name}_`));
    const isFree = (plan: JobPlan): boolean =>
      !isTouched(plan) &&
      dependenciesOf(plan).every(({ name }) => jobs.every((other) => other.name !== name || isFree(other)));
    const accepted = this.watch.submissions.flatMap(({ job, plan, revivals, late }) => {
      const ends = endOf(plan, jobs);
      // Jobs of one name share the count of their attempts.
      const isAlone = jobs.filter(({ name }) => name === plan.name).length === 1;
      const one: Accepted = {
        job,
        retries: isAlone ? ALLOWED_RETRIES + late : Number.POSITIVE_INFINITY,
        mayBeCancelled: !isFree(plan) || ends === "jobcancelled",
        ...(isFree(plan) && { ends }),
      };
      return Array.from({ length: revivals + 1 }, () => one);
    });
    const { isOneHost = false } = this.scene;
    const known = { accepted, witness: "the model", over: true, wasFull: this.wasFull, oneHost: isOneHost };
    return judge(evidenceOf(this.layout.root, this.server, this.watch, this.wasFull), known);
  }

  /** All files, for people. */
  tree(): string {
    const lines: string[] = [];
    const walk = (path: string) => {
      for (const [name, inode] of this.server.find(path)?.entries ?? []) {
        lines.push(`${path}/${name}`);
        if (inode.entries !== undefined) walk(`${path}/${name}`);
        else if (name.endsWith(".jsonl")) lines.push(inode.data.toString());
      }
    };
    walk("/p");
    return lines.join("\n");
  }

  #enter(name: string): Entered {
    const { world, scene, server } = this;
    const { kind, caches, isOneHost = false, hasBells = false, isLong = false } = scene;
    const draw = (n: number) => scene.draws[n % scene.draws.length] ?? 0;
    const n = this.#count++ * 2;
    const actor = world.actor(name, draw(n) * scene.skew, (draw(n + 1) * DRIFT) / 2);
    this.#present.set(actor, new AbortController());
    const watch = hasBells ? this.#bells.watchFor(actor) : undefined;
    return { actor, store: new Client(server, actor, { kind, caches, isShared: isOneHost, watch, isLong }) };
  }

  #leave(actor: Actor): void {
    actor.hasLeft = true;
    this.#present.delete(actor);
  }

  readonly #script: Script = (worker, { line, jobFile, environment }) => {
    const job = environment.FJORD_JOB ?? "";
    const plan = this.watch.seeRun(job, worker, jobFile, line);
    if (plan === undefined) return { takes: 0, status: 0, isDeaf: false };
    const runs = this.watch.runs.filter((run) => run.job === job);
    const ended = runs.filter(({ isComplete }) => isComplete).map(({ status }) => status);
    const status = statusOf(plan, ended, runs.length);
    const { takes, isDeaf } = plan;
    const atEnd = leavesCheckpoint(status) ? () => this.#leaveCheckpoint(job) : () => undefined;
    return { takes, status, isDeaf, atEnd };
  };

  #leaveCheckpoint(job: string): void {
    const path = this.layout.checkpointOf(job);
    const rooms = this.server.directory(this.layout.jobcheckpoints);
    if (this.server.find(path) === undefined) this.server.mkdir(rooms, job, path);
    const dir = this.server.directory(path);
    if (!dir.entries?.has("state")) this.server.create(dir, "state", `${path}/state`);
  }
}

/** Who starts it starts it again when it broke down for the store's trouble, as it may at the beginning. */
async function retried<T>(actor: Actor, run: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (!isSystemError(error)) throw error;
      actor.world.note(`${actor.name} gives up: ${error.message}`);
      await actor.clock.sleep(1000);
    }
  }
}
