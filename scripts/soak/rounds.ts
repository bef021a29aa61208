import fs from "node:fs";
import path from "node:path";
import { processesOf } from "../../test/checker/evidence.js";
import { Bench, Dice, kill, QUICK } from "../../test/faults/harness.js";
import { SmallDisk } from "../../test/faults/small-disk.js";
import { Chaos, type Strike, type Weights } from "../../test/faults/strikes.js";

/** Each round has a project of its own for so long, ms, and then until all of its jobs have ended. */
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
  "the seat's lock removed": 4,
  "an order removed": 3,
  "a project read-only": 4,
};

interface Kind {
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly weights: Weights;
  /** Options of the small file system that it needs. */
  readonly disk?: readonly string[];
}

const NETWORK = { ...QUICK, store: "network", settle: "0.2 s", flush: "no" };
/** In turn. */
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

/** What was done in all rounds together. */
class Totals {
  rounds = 0;
  jobs = 0;
  runs = 0;
  kills = 0;
  judged = 0;
  readonly struck = new Map<Strike, number>();

  add(bench: Bench, chaos: Chaos): void {
    this.rounds++;
    this.jobs += bench.accepted.length;
    this.runs += bench.ends().length;
    this.kills += chaos.crew.kills;
    this.judged += chaos.judged;
    for (const [strike, times] of chaos.struck)
      this.struck.set(strike, (this.struck.get(strike) ?? 0) + times);
  }
}

/** Rounds until the time is over. @returns whether the checker had no objection to any */
export async function soak({ minutes, seed, only }: Soak): Promise<boolean> {
  const end = performance.now() + minutes * 60_000;
  const totals = new Totals();
  console.log(`seed ${seed}, ${minutes} minutes; --seed ${seed} strikes like this again`);
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
    console.log(`round ${n}, ${kind.name}: left out, no tmpfs can be mounted: ${disk}`);
    return true;
  }
  const bench = new Bench(kind.settings, disk && path.join(disk.path, "project"));
  const begin = performance.now();
  try {
    const { weights } = kind;
    const options = { workers: 3, dispatchers: 2, weights, ...(disk && { disk }) };
    const chaos = new Chaos(bench, new Dice(seed + n), options);
    await chaos.rage(() => performance.now() - begin > ms);
    await chaos.settle();
    totals.add(bench, chaos);
    const seconds = Math.round((performance.now() - begin) / 1000);
    console.log(
      `round ${n}, ${kind.name}: ${bench.accepted.length} jobs, ${chaos.crew.kills} kills, ${seconds} s, all well`,
    );
    await bench.dispose(false);
    return true;
  } catch (error) {
    console.log(`round ${n}, ${kind.name}, seed ${seed}: ${error instanceof Error ? error.message : error}`);
    console.log(`the evidence: ${keep(bench)}; npm run soak -- --seed ${seed} --round ${n}`);
    return false;
  } finally {
    disk?.unmount();
  }
}

/** Ends what runs there, and leaves the rest as it is. @returns where it is */
function keep(bench: Bench): string {
  for (const { pid } of processesOf(bench.root)) kill(pid);
  if (!bench.root.startsWith(bench.base))
    fs.cpSync(bench.root, path.join(bench.base, "project"), { recursive: true });
  return bench.base;
}

function tell({ rounds, jobs, runs, kills, judged, struck }: Totals, isWell: boolean): void {
  console.log(`\n${rounds} rounds: ${jobs} jobs accepted, ${runs} runs to the end, ${kills} kills.`);
  for (const [strike, times] of [...struck].sort((a, b) => b[1] - a[1]))
    console.log(`  ${String(times).padStart(5)} × ${strike}`);
  console.log(`Judged ${judged} times, of that ${rounds} at the end of a round.`);
  console.log(isWell ? "The checker had no objection." : "THE CHECKER OBJECTED.");
}
