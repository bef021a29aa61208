import "proper-lockfile"; // now, not amid a walk: nothing there may take real time
import { pino } from "pino";
import { dispatchAs } from "../../src/compose/dispatch.js";
import { Layout } from "../../src/project/layout.js";
import type { Settings } from "../../src/project/settings.js";
import { isErrno, isSystemError } from "../../src/spool/store.js";
import { submit } from "../../src/spool/submit.js";
import { Worker } from "../../src/worker/worker.js";
import { judge, type Violation } from "../checker/checker.js";
import type { Evidence, Line } from "../checker/evidence.js";
import { type Caches, Client } from "./client.js";
import { ModelLauncher, type Script } from "./launcher.js";
import { Server } from "./server.js";
import { DRIFT, Watch } from "./watch.js";
import { type Actor, type Scheduler, World } from "./world.js";

/** A job as it will go. */
export interface JobPlan {
  readonly name: string;
  /** ms after the beginning. */
  readonly submittedAt: number;
  readonly takes: number;
  /** Of which attempts it fails; it has one retry. */
  readonly fails: "never" | "first" | "always";
  /** Whether it does not hear SIGTERM. */
  readonly isDeaf: boolean;
}

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
}

const log = pino({ level: "silent" });
const ROOMS = ["jobdone", "jobfailed", "jobcancelled", "jobqueue", "jobheld"] as const;

/** The project in the model, and those who work in it: the real code of dispatcher, worker, spool. */
export class Stage {
  readonly world: World;
  readonly watch: Watch;
  readonly server: Server;
  readonly layout = new Layout("/p");
  readonly scene: Scene;
  /** Of those who have not ended, what ends them. */
  readonly #present = new Map<Actor, AbortController>();
  readonly #seated = new Set<string>();
  #count = 0;
  /** Of the ledgers' writers, those whose last line may be torn. */
  wasFull = false;

  constructor(scene: Scene, scheduler: Scheduler) {
    this.scene = scene;
    this.world = new World(scheduler);
    this.server = new Server(() => this.world.wall, scene.grain);
    this.watch = new Watch(this.world, this.server, this.layout, scene.settings);
    const root = this.server.root;
    this.server.mkdir(root, "p", "/p");
    for (const path of this.layout.directories()) {
      const [dir, name] = this.server.parentOf(path, () => undefined);
      this.server.mkdir(dir, name, path);
    }
  }

  /** A worker; declared lost, it comes back under another id. */
  hire(name: string): Actor {
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
      this.#present.delete(actor);
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
      this.#present.delete(actor);
    });
    return actor;
  }

  /** S1, by somebody who gives it up when the store has trouble. */
  submitAll(name: string): Actor {
    const { actor, store } = this.#enter(name);
    actor.begin(async () => {
      for (const plan of this.scene.jobs) {
        await actor.clock.sleep(plan.submittedAt - this.world.time);
        const text = `[control]\nexecutable = ${commandOf(plan.name)}\nretries = 1\n`;
        await submit(store, this.layout, `${plan.name}.ini`, text, this.scene.settings.flush).catch(
          (error) => {
            if (!isSystemError(error)) throw error;
          },
        );
      }
      this.#present.delete(actor);
    });
    return actor;
  }

  get hasSubmitted(): boolean {
    return ![...this.#present.keys()].some(({ name, state }) => name === "s" && state !== "dead");
  }

  /** Nothing goes wrong any more: all jobs have to end, all have to go, and nothing may be left. */
  async close(): Promise<void> {
    const { world, layout } = this;
    for (const actor of world.actors) if (actor.state !== "dead") actor.state = "live";
    this.hire("w9");
    this.dispatch("d9", true);
    const most = 40_000;
    if (!(await world.run(() => this.hasSubmitted && this.watch.areAllEnded, most))) {
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
      this.#present.delete(boss);
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
    const jobs = this.watch.accepted.map(({ file }) => file.replace(/\.ini$/, ""));
    const accepted = this.scene.jobs
      .filter(({ name }) => jobs.includes(name))
      .map(({ name, fails }) => ({
        job: name,
        retries: 1,
        ends: fails === "always" ? ("jobfailed" as const) : ("jobdone" as const),
      }));
    return judge(this.#evidence(), { accepted, witness: "the model", over: true, wasFull: this.wasFull });
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

  #enter(name: string): { actor: Actor; store: Client } {
    const { world, scene } = this;
    const draw = (n: number) => scene.draws[n % scene.draws.length] ?? 0;
    const n = this.#count++ * 2;
    const actor = world.actor(name, draw(n) * scene.skew, (draw(n + 1) * DRIFT) / 2);
    this.#present.set(actor, new AbortController());
    return { actor, store: new Client(this.server, actor, scene.kind, scene.caches) };
  }

  readonly #script: Script = ({ line, environment }) => {
    const job = environment.FJORD_JOB ?? "";
    const attempt = Number(environment.FJORD_ATTEMPT);
    const plan = this.scene.jobs.find(({ name }) => name === job);
    this.watch.seeRun(job, line, plan && commandOf(plan.name));
    const { takes = 0, fails = "never", isDeaf = false } = plan ?? {};
    const isToFail = fails === "always" || (fails === "first" && attempt === 1);
    return { takes, status: isToFail ? 1 : 0, isDeaf };
  };

  #evidence(): Evidence {
    const places = new Map<string, string[]>();
    const litter: string[] = [];
    const desks: string[] = [];
    const names = (dir: string) => [
      ...(this.server.find(dir === "" ? "/p" : `/p/${dir}`)?.entries?.keys() ?? []),
    ];
    const sort = (dir: string, place: string) => {
      for (const name of names(dir)) {
        if (dir === "jobqueue" && name.startsWith(".")) continue; // of who was killed: for a day
        if (name.startsWith(".") || /\.(?:lock|tmp)$/.test(name)) litter.push(`${dir}/${name}`);
        else {
          const job = name.replace(/\.ini$/, "");
          places.set(job, [...(places.get(job) ?? []), place]);
        }
      }
    };
    for (const room of ROOMS) sort(room, room);
    for (const desk of names("jobpod")) {
      if (desk.startsWith(".")) litter.push(`jobpod/${desk}`);
      else if (desk !== "retry") desks.push(desk);
      sort(`jobpod/${desk}`, desk === "retry" ? "retry" : `desk ${desk}`);
    }
    const announced = names("workerqueue").filter((name) => !name.startsWith("."));
    litter.push(...names("workerqueue").filter((name) => name.startsWith(".")));
    // A seat that two have taken at once may be left as it is: then its lock gets stale.
    litter.push(...names("").filter((name) => name.startsWith(".")));
    return {
      root: "/p",
      places,
      litter,
      desks,
      announced,
      checkpoints: [],
      lines: this.watch
        .lines()
        .filter((line, i, all) => !all.slice(0, i).some((other) => isRepeated(other, line))),
      torn: [],
      runs: this.watch.runs.map(({ job, attempt, start, end, isComplete }) => ({
        job,
        attempt,
        pid: 1,
        start: start / 1000,
        end: isComplete ? (end ?? 0) / 1000 : undefined,
      })),
      processes: [],
    };
  }
}

/** Written again, since it was not known to be on the disk. */
function isRepeated(a: Line, b: Line): boolean {
  const isSame = a.ledger === b.ledger && a.event === b.event && a.job === b.job && a.attempt === b.attempt;
  return isSame && ["ended", "lost", "discarded"].includes(a.event);
}

/** Long enough to be torn. */
function commandOf(job: string): string {
  return `run ${job} ${"-".repeat(100)} to the end`;
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
