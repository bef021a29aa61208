import { Dice } from "../rig/dice.js";
import { isAbout, type Mishap, momentsOf } from "./mishaps.js";
import { leaseOf, play, type Walk } from "./play.js";
import { someScene, type Trait, withTraits } from "./scene.js";
import { Stage } from "./stage.js";
import { ERRORS, mayBe, type Verdict } from "./verdict.js";
import type { Actor, Call, Event, Scheduler, World } from "./world.js";

/** Faults that a walk may have. */
interface Mishaps {
  /** Times at which an actor is killed or delayed, in order. */
  readonly at: Mishap[];
  /** Share of the calls that fail, and share of the calls that the client sends again. */
  readonly errors: number;
  readonly replays: number;
  /** Share of the steps at which time jumps to the next timer while an actor is in the middle of its work. */
  readonly delays: number;
}

/** Random numbers decide which actor goes on and which faults happen. The same seed gives the same walk. */
class Chance implements Scheduler {
  readonly #dice: Dice;
  readonly #mishaps: Mishaps;
  readonly #lease: number;
  /** Actors with a higher rank go first. If undefined, all actors are equal. */
  readonly #ranks: Map<Actor, number> | undefined;
  /** Path for which a call last returned EACCES. */
  #denied = "";
  isCalm = false;

  constructor(dice: Dice, mishaps: Mishaps, lease: number, hasRanks: boolean) {
    this.#dice = dice;
    this.#mishaps = mishaps;
    this.#lease = lease;
    this.#ranks = hasRanks ? new Map() : undefined;
  }

  toss(): boolean {
    return this.#dice.next() < 0.5;
  }

  choose(world: World, calls: readonly Call[]): Event {
    const dice = this.#dice;
    const call = this.#next(calls);
    if (this.isCalm) return { kind: "call", call, verdict: "do" };
    const chance = dice.next();
    if (chance < this.#mishaps.delays) return { kind: "time" };
    const mishap = this.#mishap(world, call);
    return mishap ?? { kind: "call", call, verdict: this.#verdict(call, dice.next()) };
  }

  #mishap(world: World, { actor, what, path }: Call): Event | undefined {
    const dice = this.#dice;
    const isDue = ({ at, moment }: Mishap) =>
      world.time >= at && (moment === undefined || (moment[0] === what && moment[1].test(path)));
    const next = this.#mishaps.at.find(isDue);
    if (next === undefined) return undefined;
    this.#mishaps.at.splice(this.#mishaps.at.indexOf(next), 1);
    const { moment, isKill } = next;
    const whom =
      moment === undefined ? dice.pick(world.actors.filter(({ state }) => state === "live")) : actor;
    if (isKill) return { kind: "kill", actor: whom };
    const kind = this.toss() ? "stop" : "cut-off";
    // In half of the cases the actor comes back exactly when other actors react to its absence.
    if (this.toss())
      return {
        kind,
        actor: whom,
        ms: this.#lease * 3,
        until: isAbout(whom.name, Math.floor(dice.between(0, 5))),
      };
    return {
      kind,
      actor: whom,
      ms: this.#lease * dice.pick([0.1, 0.5, 1, 1.2, 1.5]) * dice.between(0.9, 1.1),
    };
  }

  /**
   * Some walks let one actor go on for a long time. Others let the actors take turns. Each kind finds errors that the
   * other rarely finds.
   */
  #next(calls: readonly Call[]): Call {
    const ranks = this.#ranks;
    const woken = calls.find(({ actor }) => actor.isHasty);
    if (woken !== undefined && this.#dice.next() < 0.8) return woken;
    if (ranks === undefined) return this.#dice.pick(calls);
    for (const { actor } of calls) {
      if (!ranks.has(actor) || this.#dice.next() < 0.02) ranks.set(actor, this.#dice.next());
    }
    const rank = ({ actor }: Call) => ranks.get(actor) ?? 0;
    return calls.reduce((first, call) => (rank(call) > rank(first) ? call : first));
  }

  #verdict({ what, path, fault }: Call, chance: number): Verdict {
    if (chance < this.#mishaps.errors) {
      if (fault === "half" && this.toss()) return fault;
      const error = this.#dice.pick(ERRORS.filter((one) => mayBe(one, what)));
      if (error !== "EACCES") return error;
      // fjord refuses a single file that is denied twice, which is correct. The model avoids this case.
      if (path === this.#denied) return "EIO";
      this.#denied = path;
      return error;
    }
    if (fault === "replay" && chance > 1 - this.#mishaps.replays) return "replay";
    return "do";
  }
}

/** Changes the seed for the traits, so that a walk without traits stays the same. */
const OF_TRAITS = 0x5eed;
/** Traits that exist on a local file system only. */
const LOCAL: readonly Trait[] = ["one-host", "bells", "swift"];

/** Makes one walk through the model. The seed decides everything. */
export async function walk(
  seed: number,
  traits: readonly Trait[] = [],
  kind: "local" | "network" = seed % 2 === 0 || traits.some((trait) => LOCAL.includes(trait))
    ? "local"
    : "network",
): Promise<Walk> {
  const dice = new Dice(seed);
  const plain = someScene(kind, dice);
  const lease = leaseOf(plain.settings);
  const reckless = dice.between(1, 6) * lease;
  const isQuiet = dice.next() < 0.2;
  const moments = momentsOf(traits);
  const mishaps = {
    at: Array.from({ length: isQuiet ? 0 : Math.floor(dice.between(0, 8)) }, () => dice.next() * reckless)
      .sort((a, b) => a - b)
      .map((at) => ({
        at,
        isKill: dice.next() < 0.3,
        moment: dice.next() < 0.8 ? dice.pick(moments) : undefined,
      })),
    errors: isQuiet ? 0 : dice.pick([0, 0, 0.002, 0.02]),
    replays: kind === "network" ? dice.pick([0, 0.01, 0.1]) : 0,
    delays: dice.pick([0, 0.005, 0.05]),
  };
  const chance = new Chance(dice, mishaps, lease, dice.next() < 0.6);
  const scene = traits.length === 0 ? plain : withTraits(plain, traits, new Dice(seed ^ OF_TRAITS), reckless);
  const stage = new Stage(scene, chance);
  stage.wasFull = mishaps.errors > 0;
  return play(stage, async () => {
    await stage.world.run(() => stage.world.time > reckless, 15_000);
    chance.isCalm = true;
  });
}
