import { BenchProject } from "./bench-project.js";
import { atLeast, atMost, median, type Row, row } from "./measure.js";
import { cpuOf } from "./proc.js";
import type { Scratch } from "./scratch.js";
import type { Setup } from "./setup.js";

/** The middle of the queue, as shares of its jobs. The start and the end of the command do not count there. */
const STEADY = [0.1, 0.9] as const;

interface Round {
  /** Jobs a second, by the name of the queue or runner. */
  readonly rates: ReadonlyMap<string, number>;
  /** Jobs a second in the middle of fjord's queue. */
  readonly steady: number;
  /** CPU microseconds a job. */
  readonly cpu: { readonly worker: number; readonly dispatcher: number; readonly shellAndJob: number };
}

async function fjord(scratch: Scratch, jobs: number, slots: number) {
  const project = new BenchProject(scratch, "speed");
  project.drop(jobs, "/bin/true");
  const workers = await project.hire(slots);
  const cpuSum = () => {
    const sum = { worker: 0, shell: 0 };
    for (const { worker, shell } of workers) {
      const ofShell = cpuOf(shell);
      sum.worker += cpuOf(worker).own;
      sum.shell += ofShell.own + ofShell.children;
    }
    return sum;
  };
  const before = cpuSum();
  const { seconds, cpu } = await project.dispatch();
  const after = cpuSum();
  await project.fire();
  const { ends } = project.times;
  const [from, to] = STEADY.map((share) => Math.floor(ends.length * share)) as [number, number];
  const each = (sum: number) => (sum / jobs) * 1e6;
  return {
    rate: jobs / seconds,
    steady: (to - from) / (((ends[to] ?? 0) - (ends[from] ?? 0)) / 1000),
    cpu: {
      worker: each(after.worker - before.worker),
      dispatcher: each(cpu),
      shellAndJob: each(after.shell - before.shell),
    },
  };
}

/** Measures empty jobs a second. In each round, fjord and all peers run in turn. */
export async function speed({ scratch, jobs, rounds, cores, peers: known, tell }: Setup): Promise<Row[]> {
  const peers = known.filter(({ found }) => found.kind === "there").map(({ peer }) => peer);
  const results: Round[] = [];
  for (let n = 1; n <= rounds; n++) {
    tell(`speed, round ${n} of ${rounds}: fjord`);
    const own = await fjord(scratch, jobs, cores);
    const rates = new Map([["fjord", own.rate]]);
    for (const peer of peers) {
      tell(`speed, round ${n} of ${rounds}: ${peer.name}`);
      rates.set(peer.name, jobs / (await peer.run(scratch, jobs, cores)));
    }
    results.push({ rates, steady: own.steady, cpu: own.cpu });
  }
  const rate = (name: string) => median(results.map(({ rates }) => rates.get(name) ?? Number.NaN));
  const ratio = (name: string) =>
    median(results.map(({ rates }) => (rates.get("fjord") ?? 0) / (rates.get(name) ?? Number.NaN)));
  const cpu = (part: keyof Round["cpu"]) => median(results.map((result) => result.cpu[part]));
  const rows = [
    row(
      `fjord, ${cores} workers: the dispatcher command, start to "No more jobs"`,
      rate("fjord"),
      "jobs/s",
      0,
    ),
    row("fjord, steady: the middle 80 % of the jobs", median(results.map((r) => r.steady)), "jobs/s", 0),
  ];
  for (const { name, how } of peers) {
    const digits = rate(name) < 10 ? 1 : 0;
    rows.push(row(`${name}: ${how.replace("CORES", String(cores))}`, rate(name), "jobs/s", digits));
  }
  const required: Record<string, number> = { xargs: 0.95, "GNU parallel": 2, "task-spooler": 1.1 };
  for (const { name } of peers) {
    const times = ratio(name);
    const limit = required[name];
    const demand = limit === undefined ? undefined : atLeast(times, limit, `≥ ${limit}`);
    rows.push(row(`fjord : ${name}, within a round`, times, "", 2, demand));
  }
  rows.push(
    row("CPU a job: worker", cpu("worker"), "µs", 0, atMost(cpu("worker"), 120, "µs")),
    row(
      "CPU a job: dispatcher, with its start",
      cpu("dispatcher"),
      "µs",
      0,
      atMost(cpu("dispatcher"), 75, "µs"),
    ),
    row("CPU a job: launcher shell and the job itself", cpu("shellAndJob"), "µs", 0),
  );
  return rows;
}
