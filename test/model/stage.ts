import { workerOfAnnouncement } from "../../src/project/entry-names.js";
import { siteOf } from "../rig/site.js";
import "proper-lockfile"; // loaded now, because no step of a walk may take real time
import { pino } from "pino";
import { dispatchAs } from "../../src/dispatcher/dispatch.js";
import { FjordError } from "../../src/job/error.js";
import { Layout } from "../../src/project/layout.js";
import type { Settings } from "../../src/project/settings.js";
import { submit } from "../../src/spool/submit.js";
import { isErrno, isSystemError } from "../../src/store/store.js";
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
import { type Deed, operate, releaseAll } from "./operator.js";
import { type Firing, recruit } from "./recruiter.js";
import { DRIFT, Roll } from "./roll.js";
import { ModelRunner, type Script } from "./runner.js";
import { Server } from "./server.js";
import { Watch } from "./watch.js";
import { type Actor, type Scheduler, World } from "./world.js";

/** Properties that differ from one model to another. */
export interface Scene {
  readonly kind: "local" | "network";
  readonly settings: Settings;
  readonly caches: Caches;
  /** Resolution of the server's times, ms. */
  readonly grain: number;
  readonly jobs: readonly JobPlan[];
  /** Whether the second worker comes later. */
  readonly isAlone: boolean;
  /**
   * Largest error of a wall clock in ms. The error of each actor's clock is a random share of this value, from -1 to 1.
   */
  readonly skew: number;
  /** Random numbers from -1 to 1, which the actors use in turn. */
  readonly draws: readonly number[];
  /** Commands of an operator, in order of time. */
  readonly deeds?: readonly Deed[];
  /** Uses of `recruiter fire`, in order of time. */
  readonly firings?: readonly Firing[];
  /**
   * Whether all actors run on one host, which knows when a process has ended. Otherwise each actor has its own host.
   */
  readonly isOneHost?: boolean;
  /** Whether watch events come. */
  readonly hasBells?: boolean;
  /** Whether a job is submitted only when the jobs before it have ended. */
  readonly isOneAfterTheOther?: boolean;
  /** Whether queues are listed one name at a time. */
  readonly isLong?: boolean;
}

const log = pino({ level: "silent" });

/** An actor and its view of the project. */
interface Entered {
  readonly actor: Actor;
  readonly store: Client;
}

/** The project in the model and its actors: the real code of dispatcher, worker, spool and commands. */
export class Stage {
  readonly world: World;
  readonly watch: Watch;
  readonly server: Server;
  readonly layout = new Layout("/p");
  readonly scene: Scene;
  readonly #dropper: Dropper;
  readonly #bells = new Bells();
  /** Abort signals that end the actors that have not ended. */
  readonly #present = new Map<Actor, AbortController>();
  readonly #seated = new Set<string>();
  #count = 0;
  #hired = 0;
  /** Whether writers of ledgers may leave a torn last line. */
  wasFull = false;

  constructor(scene: Scene, scheduler: Scheduler) {
    this.scene = scene;
    this.world = new World(scheduler);
    this.server = new Server(() => this.world.wall, scene.grain, scene.kind === "local");
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

  /** Starts a worker. When it is declared lost, it comes back under another id. */
  hire(name = `w${++this.#hired}`): Actor {
    const { actor, store } = this.#enter(name);
    const { layout, world } = this;
    actor.begin(async () => {
      for (let n = 1, end = ""; end !== "left"; n++) {
        const id = [name, n].join("-");
        const append = (line: string) => this.#append(layout.ledgerOf(id), line);
        const startRunner = () => new ModelRunner(actor, id, this.#script, this.watch.runs, append);
        const setup = {
          ...siteOf(store, layout, this.scene.settings),
          log,
          id,
          directory: "/",
          startRunner,
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

  /** Appends a line to a worker's ledger, as its launcher shell does. */
  #append(ledger: string, line: string): boolean {
    const inode = this.server.find(ledger);
    if (inode === undefined) return false;
    this.server.write(inode, Buffer.concat([inode.data, Buffer.from(`${line}\n`)]), ledger);
    return true;
  }

  /** Starts a dispatcher, which stands by while another one dispatches. */
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
        dispatchAs(
          { id: `${name}-d-1`, log },
          stop.signal,
          siteOf(store, layout, scene.settings),
          { stay },
          tell,
        ),
      );
      this.#leave(actor);
    });
    return actor;
  }

  /** Starts all actors that bring jobs or interfere with them. */
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

  /**
   * S1: submits the jobs. Gives a job up when the store fails, and waits while the job's name is taken. Jobs that wait
   * for a job that was given up are given up, too.
   */
  #submitAll(jobs: readonly (readonly [number, JobPlan])[]): void {
    const { actor, store } = this.#enter("s");
    const givenUp = new Set<string>();
    actor.begin(async () => {
      for (const [index, plan] of jobs) {
        if (dependenciesOf(plan).some(({ name }) => givenUp.has(name))) {
          givenUp.add(plan.name); // the job would wait for ever
          continue;
        }
        await actor.clock.sleep(plan.submittedAt - this.world.time);
        while (this.scene.isOneAfterTheOther && !this.watch.areAllEnded) await actor.clock.sleep(1000);
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
          siteOf(store, this.layout),
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

  /** Whether all jobs have been submitted, and no operator or recruiter acts any more. */
  get hasAllBegun(): boolean {
    const isDoing = ({ name, state }: Actor) => /^(?:s$|op|r\d)/.test(name) && state !== "dead";
    return this.#dropper.isDone && ![...this.#present.keys()].some(isDoing);
  }

  /**
   * Ends the play without further faults: all jobs have to end, all actors have to leave, and nothing may be left.
   */
  async close(): Promise<void> {
    const { world, layout } = this;
    for (const actor of world.actors) if (actor.state !== "dead") actor.state = "live";
    this.hire("w9");
    this.dispatch("d9", true);
    const most = 100_000;
    if (!(await world.run(() => this.hasAllBegun, most))) {
      return world.fail(`no progress: not all has been done\n${this.tree()}`);
    }
    this.hire("w8"); // a recruiter may have fired all workers
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
          const worker = workerOfAnnouncement(file);
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
    // d9 must dispatch last, because it removes the files of killed processes.
    const isGone = (name: string) =>
      [...this.#present.keys()].every((a) => a.name !== name || a.state === "dead");
    const isLast = () => isGone("d1") && isGone("d2") && this.#seated.has("d9");
    for (const [actor, stop] of this.#present) if (actor.name !== "d9") stop.abort();
    if (!(await world.run(isLast, most))) return world.fail(`no progress: nobody dispatches\n${this.tree()}`);
    for (const stop of this.#present.values()) stop.abort();
    if (!(await world.run(() => isGone("d9"), most)))
      world.fail(`no progress: not all have gone\n${this.tree()}`);
  }

  /** The checker's verdict at the end. */
  judge(): Violation[] {
    const { jobs, deeds = [], isOneAfterTheOther = false } = this.scene;
    const isTouched = ({ name }: JobPlan) =>
      deeds.some(({ what, word }) => what !== "clean" && (word === name || word.startsWith(`${name}_`)));
    const isFree = (plan: JobPlan): boolean =>
      !isTouched(plan) &&
      dependenciesOf(plan).every(({ name }) => jobs.every((other) => other.name !== name || isFree(other)));
    const accepted = this.watch.submissions.flatMap(({ job, plan, revivals, late, isCleaned }) => {
      const ends = endOf(plan, jobs);
      // With two jobs with the same name, a cache may show the file of one in the place of the other.
      const isAlone = isOneAfterTheOther || jobs.filter(({ name }) => name === plan.name).length === 1;
      const one: Accepted = {
        job,
        retries: isAlone ? ALLOWED_RETRIES + late : Number.POSITIVE_INFINITY,
        cleaned: isCleaned,
        mayBeCancelled: !isFree(plan) || ends === "jobcancelled",
        ...(isFree(plan) && { ends }),
      };
      return Array.from({ length: revivals + 1 }, () => one);
    });
    const { isOneHost = false } = this.scene;
    const known = { accepted, witness: "the model", over: true, wasFull: this.wasFull, oneHost: isOneHost };
    return judge(evidenceOf(this.layout.root, this.server, this.watch, this.wasFull), known);
  }

  /** All files, for error messages. */
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

/** Starts a command again after a system error, because commands may fail when the store fails. */
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
