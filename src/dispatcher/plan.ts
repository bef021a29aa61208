import type { Capacity, Demand } from "../job/demand.js";
import type { DemandCount } from "./waiting.js";

/** The facts about one worker that the plan uses. */
export interface Load {
  readonly worker: string;
  readonly capacity: Capacity;
  /** Jobs on the worker's desk by file, in the order in which they came. The first one runs. */
  readonly jobs: ReadonlyMap<string, { readonly demand: Demand }>;
  /** Seconds per job; 0 while unknown. */
  readonly pace: number;
  /** Seconds since a job last came to the desk or left it. The running job has already taken at least this time. */
  readonly still: number;
}

/** Seconds of work by which desks are filled. */
export interface Supply {
  /** Time that a refill takes at most. */
  readonly refill: number;
  /** Work that should lie ahead of a worker. The more it is, the fewer refills a worker needs. */
  readonly ahead: number;
}

/** Gives jobs of one demand from the queue to a worker. */
interface Give {
  readonly kind: "give";
  readonly worker: string;
  readonly demand: Demand;
  count: number;
}

/** Moves jobs that lie ahead from one desk to another, the last ones first. */
interface Move {
  readonly kind: "move";
  readonly from: string;
  readonly to: string;
  readonly count: number;
}

export type Step = Readonly<Give> | Move;

/** Largest number of jobs that may lie ahead of a worker. */
const DEEPEST = 512;
/** A job that takes longer than so many refills is left to the worker that is free first. */
const LONG = 5;
/**
 * The running job takes too long for those behind it when it takes so many times as long as all of them were thought to take. Moving
 * them sooner would cost more than it saves, because each move takes a lock.
 */
const TOO_LONG = 10;

/**
 * Number of jobs that a desk should hold: one that runs, and so many ahead that the worker does not wait for the dispatcher.
 * None lies ahead when a job takes much longer than a refill, because then the order of the queue matters more. While the pace is
 * unknown, a desk holds one job where file events report changes, and two where nothing reports them.
 */
export function desiredDepth(pace: number, { refill, ahead }: Supply, hasEvents: boolean): number {
  if (pace === 0) return hasEvents ? 1 : 2;
  if (pace > refill * LONG) return 1;
  return 1 + Math.min(DEEPEST, Math.max(1, Math.round(ahead / pace)));
}

/** A desk, as the plan fills it. */
interface Desk {
  readonly load: Load;
  /** Whether its running job takes so long that no jobs should wait behind it. */
  readonly isStuck: boolean;
  readonly depth: number;
  held: number;
}

function deskOf(load: Load, supply: Supply, hasEvents: boolean): Desk {
  const isStuck = load.jobs.size > 0 && load.still > supply.ahead * TOO_LONG;
  const depth = isStuck ? 1 : desiredDepth(load.pace, supply, hasEvents);
  return { load, isStuck, depth, held: load.jobs.size };
}

/**
 * Shares out the waiting jobs. Every desk is filled to the same level and to no more than its depth. So few jobs spread over all
 * workers, and many jobs come in batches. Jobs that lie behind one that takes long are older than the waiting ones, and go first.
 * When nothing waits, workers without a job get jobs that lie ahead of others.
 *
 * The function is pure: the same input gives the same steps.
 *
 * @param loads the workers that take jobs, in any order
 * @param waiting the demands of the waiting jobs, in the order of their turns
 */
export function plan(
  loads: readonly Load[],
  waiting: readonly DemandCount[],
  supply: Supply,
  hasEvents: boolean,
): Step[] {
  const desks = loads.map((load) => deskOf(load, supply, hasEvents));
  if (waiting.length === 0) return movesToIdle(desks, supply);
  return [...movesFromStuck(desks, supply), ...gives(desks, waiting)];
}

/** A desk in a round of gives. */
interface Open extends Desk {
  /** Place among the desks. In a round, each desk has its turn by its place. */
  readonly place: number;
  /** Line from which the desk got its last job. No job comes back to a line, so the lines before it are not looked at again. */
  line: number;
  readonly steps: Give[];
}

function gives(desks: readonly Desk[], waiting: readonly DemandCount[]): Step[] {
  const lines = waiting.map(({ demand, count }) => ({ demand, left: count }));
  const open = desks
    .map((desk, place): Open => ({ ...desk, place, line: 0, steps: [] }))
    .filter(({ held, depth }) => held < depth);
  const give = (desk: Open): boolean => {
    const { worker, capacity } = desk.load;
    let line = lines[desk.line];
    while (line !== undefined && (line.left === 0 || !capacity.fits(line.demand))) line = lines[++desk.line];
    if (line === undefined) return false;
    line.left--;
    desk.held++;
    const step = desk.steps.at(-1);
    if (step?.demand === line.demand) step.count++;
    else desk.steps.push({ kind: "give", worker, demand: line.demand, count: 1 });
    return true;
  };
  // Only desks that take part in a round are looked at, because a desk may be hundreds of jobs deep.
  const byLevel = open.toSorted((a, b) => a.held - b.held);
  let round: Open[] = [];
  for (let next = 0; round.length > 0 || next < byLevel.length; ) {
    const level = round[0]?.held ?? byLevel[next]?.held;
    const before = next;
    while (byLevel[next]?.held === level) next++;
    if (next > before) round = [...round, ...byLevel.slice(before, next)].sort((a, b) => a.place - b.place);
    round = round.filter((desk) => give(desk) && desk.held < desk.depth);
  }
  return open.flatMap(({ steps }) => steps);
}

/** Jobs that lie ahead on a desk, and may be moved. */
interface Donor {
  readonly worker: string;
  readonly ahead: Demand[];
  /** Seconds per job: those of the worker's other jobs, or those that the running job has taken by now. */
  readonly pace: number;
}

function donorOf({ worker, jobs, pace, still }: Load, { refill }: Supply): Donor {
  const ahead = [...jobs.values()].slice(1).map(({ demand }) => demand);
  return { worker, ahead, pace: Math.max(pace || refill, still) };
}

/** Moves jobs from desks whose running job takes long to all desks that have room. */
function movesFromStuck(desks: readonly Desk[], supply: Supply): Move[] {
  const donors = desks
    .filter(({ isStuck, held }) => isStuck && held > 1)
    .map(({ load }) => donorOf(load, supply));
  if (donors.length === 0) return [];
  const takers = desks.filter(({ held, depth }) => held < depth);
  const moves: Move[] = [];
  for (const [index, desk] of takers.entries()) {
    for (const donor of donors) {
      const share = Math.ceil(donor.ahead.length / (takers.length - index));
      const count = take(donor, desk.load.capacity, Math.min(desk.depth - desk.held, share));
      if (count === 0) continue;
      desk.held += count;
      moves.push({ kind: "move", from: donor.worker, to: desk.load.worker, count });
    }
  }
  return moves;
}

/** Moves jobs to workers without a job, from the desks that hold the most work. */
function movesToIdle(desks: readonly Desk[], supply: Supply): Move[] {
  const idle = desks.filter(({ held }) => held === 0);
  if (idle.length === 0) return [];
  const donors = desks
    .filter(({ held }) => held > 1)
    .map(({ load }) => donorOf(load, supply))
    .filter(({ ahead, pace }) => ahead.length * pace >= supply.refill / 2);
  const moves: Move[] = [];
  for (const [index, { load, depth }] of idle.entries()) {
    let best: Donor | undefined;
    for (const donor of donors) {
      if (!donor.ahead.some((demand) => load.capacity.fits(demand))) continue;
      if (workOf(donor) > (best === undefined ? 0 : workOf(best))) best = donor;
    }
    if (best === undefined) continue;
    // The owner of the desk and the idle workers that are left get equal shares.
    const share = Math.ceil(best.ahead.length / (idle.length - index + 1));
    const count = take(best, load.capacity, Math.min(depth, share));
    moves.push({ kind: "move", from: best.worker, to: load.worker, count });
  }
  return moves;
}

function workOf({ ahead, pace }: Donor): number {
  return ahead.length * pace;
}

/** Takes jobs that fit from those that lie ahead, the last ones first. @returns how many were taken */
function take({ ahead }: Donor, capacity: Capacity, atMost: number): number {
  let count = 0;
  for (let i = ahead.length - 1; i >= 0 && count < atMost; i--) {
    if (!capacity.fits(ahead[i] as Demand)) continue;
    ahead.splice(i, 1);
    count++;
  }
  return count;
}
