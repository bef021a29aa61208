import fs from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseLedger } from "../../src/ledger/line.js";
import { isLock } from "../../src/project/layout.js";
import { BenchProject } from "./bench-project.js";
import { atMost, median, type Row, row } from "./measure.js";
import type { Setup } from "./setup.js";

/** Number of empty jobs among which a worker is killed. */
const JOBS = 3000;
/** Numbers of jobs that are done when a worker is killed. */
const KILL_AT = [600, 1200, 1800];
/** Most jobs that one kill may run again. */
const AGAIN = 40;
/** Most ms from the start of a long job until the jobs behind it are free. */
const FREE = 50;

/** Measures what SIGKILL of a worker costs, and how soon a long job frees the short ones behind it. */
export async function kills(setup: Setup): Promise<Row[]> {
  const runs: Killed[] = [];
  const waits: number[] = [];
  for (let n = 1; n <= setup.rounds; n++) {
    setup.tell(`kills, round ${n} of ${setup.rounds}`);
    runs.push(await killWorkers(setup));
    waits.push(await trap(setup));
  }
  const again = runs.flatMap(({ again }) => again);
  const lost = runs.reduce((sum, run) => sum + run.lost, 0);
  const twice = runs.reduce((sum, run) => sum + run.twice, 0);
  return [
    row(`SIGKILL of a worker in ${JOBS} empty jobs: jobs that run again, median`, median(again), "", 0),
    row("… the most", Math.max(...again), "", 0, atMost(Math.max(...again), AGAIN + 1, "")),
    row("… jobs lost", lost, "", 0, atMost(lost, 1, "")),
    row("… outcomes published twice", twice, "", 0, atMost(twice, 1, "")),
    row("a long job among short ones: until those behind it are free, median", median(waits), "ms", 1),
    row("… the longest", Math.max(...waits), "ms", 1, atMost(Math.max(...waits), FREE, "ms")),
  ];
}

interface Killed {
  /** For each kill: the number of jobs that ran again, as a mean of the kills of a round. */
  readonly again: number[];
  readonly lost: number;
  readonly twice: number;
}

async function killWorkers({ scratch }: Setup): Promise<Killed> {
  const project = new BenchProject(scratch, "kills");
  const { layout } = project;
  project.drop(JOBS, "/bin/true");
  const workers = await project.hire(2);
  const dispatcher = project.stay();
  for (const at of KILL_AT) {
    while (project.done < at) await delay(2);
    const victim = workers.shift();
    if (victim !== undefined) process.kill(victim.worker, "SIGKILL");
    workers.push(...(await project.hire(1)));
  }
  await project.untilDone(JOBS);
  await dispatcher.stop();
  await project.fire();
  const lines = fs
    .readdirSync(layout.ledger)
    .flatMap((file) => parseLedger(fs.readFileSync(path.join(layout.ledger, file), "utf8")));
  const ended = lines.flatMap((line) => (line.event === "ended" ? [`${line.job} ${line.attempt}`] : []));
  const started = lines.filter(({ event }) => event === "started").length;
  return {
    again: [(started - JOBS) / KILL_AT.length],
    lost: JOBS - project.done,
    twice: ended.length - new Set(ended).size,
  };
}

/** @returns ms from the start of a long job until it is the only job on its desk that is locked */
async function trap({ scratch }: Setup): Promise<number> {
  const project = new BenchProject(scratch, "trap");
  const { layout } = project;
  await project.hire(1);
  const dispatcher = project.stay();
  project.drop(300, "/bin/true", "a");
  await project.untilDone(300);
  const stamp = path.join(layout.root, "begun");
  const long = path.join(layout.root, "long.sh");
  fs.writeFileSync(long, `#!/bin/sh\ndate +%s%N >${stamp}.tmp; mv ${stamp}.tmp ${stamp}; exec sleep 3\n`, {
    mode: 0o755,
  });
  // The workers take jobs by name: the long one is the fifth of these.
  const late = path.join(layout.root, "late");
  fs.mkdirSync(late);
  for (let n = 0; n < 60; n++) {
    const text = `[control]\nexecutable = ${n === 4 ? long : "/bin/true"}\n`;
    fs.writeFileSync(path.join(late, `b${String(n).padStart(3, "0")}.ini`), text);
  }
  for (const name of fs.readdirSync(late).sort()) fs.renameSync(path.join(late, name), layout.queued(name));
  while (!fs.existsSync(stamp)) await delay(1);
  const locks = () =>
    fs
      .readdirSync(layout.jobpod)
      .filter((desk) => !desk.startsWith(".") && desk !== "retry")
      .flatMap((desk) => fs.readdirSync(layout.desk(desk)).filter((name) => isLock(name)));
  while (locks().length > 1) await delay(0);
  const free = performance.timeOrigin + performance.now();
  const begun = Number(fs.readFileSync(stamp, "utf8")) / 1e6;
  await project.untilDone(360);
  await dispatcher.stop();
  await project.fire();
  return free - begun;
}
