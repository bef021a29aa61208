import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock } from "../../src/store/clock.js";
import type { Verdict } from "./verdict.js";

/** A call that waits for its turn. */
export interface Call {
  readonly actor: Actor;
  readonly what: string;
  readonly path: string;
  /** Fault that the call may have, besides an error that refuses it. */
  readonly fault: Verdict | undefined;
  readonly go: (verdict: Verdict) => void;
}

interface Timer {
  readonly at: number;
  readonly actor: Actor | undefined;
  readonly call: () => void;
}

/** The next event. `time`: the time jumps to the next timer, although an actor has not finished its work. */
export type Event =
  | { readonly kind: "call"; readonly call: Call; readonly verdict: Verdict }
  | { readonly kind: "time" }
  | { readonly kind: "kill"; readonly actor: Actor }
  /**
   * `stop`: the actor gets SIGSTOP and, after `ms`, SIGCONT. `cut-off`: the actor's calls do not return for `ms`, but
   * the actor goes on otherwise. `until`: the delay ends early when another actor makes such a call.
   */
  | {
      readonly kind: "stop" | "cut-off";
      readonly actor: Actor;
      readonly ms: number;
      readonly until?: (call: Call) => boolean;
    };

/** Decides what happens next. */
export interface Scheduler {
  choose(world: World, calls: readonly Call[]): Event;
  toss(): boolean;
}

/** Time of the wall clocks at the beginning. */
const EPOCH = Date.UTC(2026, 0, 1);
/** Duration of a call, ms. */
const CALL = 0.1;
/** Number of calls for which an actor goes first after its delay ended early. */
const HASTE = 8;
const context = new AsyncLocalStorage<Actor>();
const real = {
  now: Date.now,
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  random: Math.random,
};

/** A process. The scheduler decides when its calls and timers go on. */
export class Actor {
  readonly world: World;
  readonly name: string;
  readonly clock: Clock;
  state: "live" | "stopped" | "cut-off" | "dead" = "live";
  /** Number of calls for which the actor still goes first, after a delay that ended early. */
  hurry = 0;
  /** When the actor last saw that a name does not exist, and when it last saw that the name exists, by path. */
  readonly missedAt = new Map<string, number>();
  readonly foundAt = new Map<string, number>();
  /** Whether the actor has ended by itself. */
  hasLeft = false;
  /** Called when the actor is killed. */
  onDeath: () => void = () => undefined;

  /**
   * @param skew error of its wall clock, ms
   * @param drift error of its monotonic clock: 0.01 means 1 % too fast
   */
  constructor(world: World, name: string, skew: number, drift: number) {
    this.world = world;
    this.name = name;
    // As with Node's timers, delays are whole milliseconds, and at least one.
    const after = (ms: number, call: () => void) =>
      world.after(Math.max(1, Math.trunc(ms)) / (1 + drift), call, this);
    this.clock = {
      now: () => world.time * (1 + drift),
      wall: () => Math.floor(EPOCH + world.time * (1 + drift) + skew),
      after,
      every(ms, call) {
        let callOff: () => void = () => undefined;
        const again = () => {
          callOff = after(ms, again);
          call();
        };
        callOff = after(ms, again);
        return () => callOff();
      },
      sleep(ms, signal) {
        if (signal?.aborted) return Promise.resolve();
        return new Promise((resolve) => {
          const end = () => {
            callOff();
            signal?.removeEventListener("abort", end);
            resolve();
          };
          const callOff = after(ms, end);
          signal?.addEventListener("abort", end);
        });
      },
    };
  }

  /** Whether the actor has ended or was killed. */
  get isOver(): boolean {
    return this.hasLeft || this.state === "dead";
  }

  get isHasty(): boolean {
    return this.hurry > 0;
  }

  turn(what: string, path: string, fault: Verdict | undefined): Promise<Verdict> {
    return new Promise((resolve) => {
      if (this.state !== "dead") this.world.queue({ actor: this, what, path, fault, go: resolve });
    });
  }

  /** Starts work. An error that it throws ends the play. */
  begin(run: () => Promise<void>): void {
    void context.run(this, run).catch((error) => this.world.fail(`${this.name} broke down: ${error.stack}`));
  }
}

/** The whole model: actors, their calls and timers, and the time. It makes one step at a time. */
export class World {
  /** The true time in ms, which no actor knows. */
  time = 0;
  steps = 0;
  readonly calls: Call[] = [];
  readonly trace: string[] = [];
  violation: string | undefined;
  /** The actor that made the last call. */
  current = "";
  readonly actors: Actor[] = [];
  readonly #scheduler: Scheduler;
  #timers: Timer[] = [];
  /** Actors that are delayed until another actor makes a certain call. */
  #awaited: { readonly actor: Actor; readonly until: (call: Call) => boolean; readonly end: () => void }[] =
    [];

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  get wall(): number {
    return EPOCH + this.time;
  }

  actor(name: string, skew = 0, drift = 0): Actor {
    const actor = new Actor(this, name, skew, drift);
    this.actors.push(actor);
    return actor;
  }

  toss(): boolean {
    return this.#scheduler.toss();
  }

  queue(call: Call): void {
    this.calls.push(call);
    for (const { actor, until, end } of this.#awaited) {
      if (!until(call)) continue;
      end();
      actor.hurry = HASTE;
    }
  }

  fail(what: string): void {
    this.violation ??= what;
  }

  note(what: string): void {
    this.trace.push(`${(this.time / 1000).toFixed(4).padStart(9)} ${what}`);
  }

  /** @param actor owner of the timer, which waits while the actor is stopped and is removed when it is killed */
  after(ms: number, call: () => void, actor?: Actor): () => void {
    const timer = { at: this.time + Math.max(0, ms), actor, call };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  kill(actor: Actor): void {
    actor.state = "dead";
    this.note(`${actor.name} is killed`);
    for (let i = this.calls.length - 1; i >= 0; i--)
      if (this.calls[i]?.actor === actor) this.calls.splice(i, 1);
    this.#timers = this.#timers.filter((timer) => timer.actor !== actor);
    actor.onDeath();
  }

  /** Makes steps until the condition holds or an error is found. @returns whether the condition holds */
  async run(condition: () => boolean, mostSteps: number): Promise<boolean> {
    const until = this.steps + mostSteps;
    while (this.violation === undefined) {
      await new Promise((resolve) => setImmediate(resolve));
      if (condition()) return true;
      if (this.steps++ > until) return false;
      const calls = this.calls.filter(({ actor }) => actor.state === "live");
      if (calls.length === 0) {
        if (!this.#nextTimer()) return false;
      } else this.#carryOut(this.#scheduler.choose(this, calls));
    }
    return false;
  }

  #carryOut(event: Event): void {
    switch (event.kind) {
      case "call": {
        const { call, verdict } = event;
        this.time += CALL;
        this.current = call.actor.name;
        call.actor.hurry--;
        this.calls.splice(this.calls.indexOf(call), 1);
        this.note(`${call.actor.name}: ${call.what} ${call.path}${verdict === "do" ? "" : ` (${verdict})`}`);
        call.go(verdict);
        break;
      }
      case "time":
        this.#nextTimer();
        break;
      case "kill":
        this.kill(event.actor);
        break;
      case "stop":
      case "cut-off":
        this.#holdUp(event.actor, event.kind === "stop" ? "stopped" : "cut-off", event.ms, event.until);
        break;
      default: {
        const unknown: never = event;
        throw new Error(`unknown event: ${unknown}`);
      }
    }
  }

  #holdUp(
    actor: Actor,
    state: "stopped" | "cut-off",
    ms: number,
    until: (call: Call) => boolean = () => false,
  ): void {
    actor.state = state;
    this.note(`${actor.name} is ${state} for ${ms / 1000} s`);
    const end = () => {
      this.#awaited = this.#awaited.filter((one) => one !== awaited);
      callOff();
      if (actor.state === "dead") return;
      actor.state = "live";
      this.note(`${actor.name} is there again`);
    };
    const awaited = { actor, until, end };
    const callOff = this.after(ms, end);
    this.#awaited.push(awaited);
  }

  /** @returns false if there is no timer */
  #nextTimer(): boolean {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.actor?.state === "stopped") continue;
      if (next === undefined || timer.at < next.at) next = timer;
    }
    if (next === undefined) return false;
    this.#timers = this.#timers.filter((timer) => timer !== next);
    this.time = Math.max(this.time, next.at);
    const { call, actor } = next;
    if (actor === undefined) call();
    else context.run(actor, call);
    return true;
  }

  /**
   * Ends what `takeOver` began. In between, code outside the model (proper-lockfile) uses the clock of its actor, and the
   * scheduler decides random numbers.
   */
  [Symbol.dispose](): void {
    Date.now = real.now;
    globalThis.setTimeout = real.setTimeout;
    globalThis.clearTimeout = real.clearTimeout;
    Math.random = real.random;
  }

  takeOver(): this {
    Date.now = () => context.getStore()?.clock.wall() ?? real.now();
    Math.random = () => (this.toss() ? 0.75 : 0.25);
    const later = (call: () => void, ms: number): unknown => {
      const actor = context.getStore();
      if (actor === undefined) return real.setTimeout(call, ms);
      return { callOff: actor.clock.after(ms, call), unref: () => undefined };
    };
    const callOff = (timer: { callOff?: () => void } | undefined) => {
      if (timer?.callOff === undefined) real.clearTimeout(timer as never);
      else timer.callOff();
    };
    globalThis.setTimeout = later as typeof setTimeout;
    globalThis.clearTimeout = callOff as typeof clearTimeout;
    return this;
  }
}
