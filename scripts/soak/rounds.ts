import fs from "node:fs";
import path from "node:path";
import { SmallDisk } from "../../test/faults/small-disk.js";
import { Chaos, type Strike, type Weights } from "../../test/faults/strikes.js";
import { QUICK, WitnessedProject } from "../../test/faults/witnessed-project.js";
import { Dice } from "../../test/rig/dice.js";
import { kill, processesWith } from "../../test/rig/processes.js";

/** Time for which a round disturbs its project, in ms. The round then lasts until all jobs have ended. */
const ROUND = 40_000;

const EVERYTHING: Weights = {
  "a worker killed": 25,
  "all workers killed": 3,
  "a dispatcher killed": 20,
  "a recruiter killed": 6,
  "everybody killed": 4,
  "a worker fired": 6,
  "somebody stopped": 8,
  "an event loop stalled": 6,
  "a clock jumped": 10,
  "a waiting job moved away and back": 5,
  "a waiting job removed": 5,
  "a failed job moved back": 8,
  "the dispatcher lock removed": 4,
  "an order removed": 3,
  "a project read-only": 4,
};

/** A kind of round. */
interface Kind {
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly weights: Weights;
  /** Mount options of a small file system; undefined when the round needs none. */
  readonly disk?: readonly string[];
}

const NETWORK = { ...QUICK, store: "network", settle: "0.2 s", flush: "no" };
/** Kinds of rounds. They run in turn. */
const KINDS: readonly Kind[] = [
  { name: "local", settings: QUICK, weights: EVERYTHING },
  { name: "as on a network", settings: NETWORK, weights: EVERYTHING },
  { name: "flush = yes", settings: { ...QUICK, flush: "yes" }, weights: EVERYTHING },
  {
    name: "a disk that gets full",
    settings: QUICK,
    weights: { "a full disk": 30, "a worker killed": 15, "a dispatcher killed": 10, "somebody stopped": 10 },
    disk: ["size=24m", "nr_inodes=6000"],
  },
];

interface Soak {
  readonly minutes: number;
  readonly seed: number;
  readonly only: number | undefined;
}

/** Sums over all rounds. */
class Totals {
  rounds = 0;
  jobs = 0;
  runs = 0;
  kills = 0;
  judged = 0;
  readonly struck = new Map<Strike, number>();

  add(project: WitnessedProject, chaos: Chaos): void {
    this.rounds++;
    this.jobs += project.accepted.length;
    this.runs += project.runsEnded().length;
    this.kills += chaos.crew.kills;
    this.judged += chaos.judged;
    for (const [strike, times] of chaos.struck)
      this.struck.set(strike, (this.struck.get(strike) ?? 0) + times);
  }
}

/** Runs rounds until the time is over. @returns false when the checker has found a violation */
export async function soak({ minutes, seed, only }: Soak): Promise<boolean> {
  const end = performance.now() + minutes * 60_000;
  const totals = new Totals();
  console.log(`seed ${seed}, ${minutes} minutes; repeat this run with --seed ${seed}`);
  let isWell = true;
  for (let n = only ?? 0; isWell && performance.now() < end; n++) {
    isWell = await round(n, seed, Math.min(ROUND, end - performance.now()), totals);
    if (only !== undefined) break;
  }
  tell(totals, isWell);
  return isWell;
}

async function round(n: number, seed: number, ms: number, totals: Totals): Promise<boolean> {
  const kind = KINDS[n % KINDS.length] as Kind;
  const disk = kind.disk && SmallDisk.mount(...kind.disk);
  if (typeof disk === "string") {
    console.log(`round ${n}, ${kind.name}: skipped, because no tmpfs can be mounted: ${disk}`);
    return true;
  }
  const project = new WitnessedProject(kind.settings, disk && path.join(disk.path, "project"));
  const begin = performance.now();
  try {
    const { weights } = kind;
    const options = { workers: 3, dispatchers: 2, weights, ...(disk && { disk }) };
    const chaos = new Chaos(project, new Dice(seed + n), options);
    await chaos.rage(() => performance.now() - begin > ms);
    await chaos.settle();
    totals.add(project, chaos);
    const seconds = Math.round((performance.now() - begin) / 1000);
    console.log(
      `round ${n}, ${kind.name}: ${project.accepted.length} jobs, ${chaos.crew.kills} kills, ${seconds} s, no violation`,
    );
    await project.dispose(false);
    return true;
  } catch (error) {
    console.log(`round ${n}, ${kind.name}, seed ${seed}: ${error instanceof Error ? error.message : error}`);
    console.log(
      `The evidence is in ${keep(project)}. Repeat the round with: npm run soak -- --seed ${seed} --round ${n}`,
    );
    return false;
  } finally {
    disk?.unmount();
  }
}

/** Kills the processes of a round and keeps its files. @returns the directory of the files */
function keep(project: WitnessedProject): string {
  for (const { pid } of processesWith(project.directory)) kill(pid);
  if (!project.directory.startsWith(project.root))
    fs.cpSync(project.directory, path.join(project.root, "project"), { recursive: true });
  return project.root;
}

function tell({ rounds, jobs, runs, kills, judged, struck }: Totals, isWell: boolean): void {
  console.log(`\n${rounds} rounds: ${jobs} jobs accepted, ${runs} runs to the end, ${kills} kills.`);
  for (const [strike, times] of [...struck].sort((a, b) => b[1] - a[1]))
    console.log(`  ${String(times).padStart(5)} × ${strike}`);
  console.log(`The checker judged ${judged} times, ${rounds} of them at the end of a round.`);
  console.log(isWell ? "The checker found no violation." : "THE CHECKER FOUND A VIOLATION.");
}
