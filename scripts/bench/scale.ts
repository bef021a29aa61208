import fs from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { announce } from "../../src/spool/announcement.js";
import { ownPidSpace } from "../../src/spool/identity.js";
import { openStore } from "../../src/spool/open-store.js";
import { kill } from "../../test/rig/processes.js";
import type { Setup } from "./bench.js";
import { BenchProject, type RunningDispatcher } from "./bench-project.js";
import { atMost, median, type Row, row } from "./measure.js";
import { cpuOf } from "./proc.js";

/** Job files that wait. */
const FILES = 100_000;
/** Simulated desks and heartbeats, and for how long, s. */
const WORKERS = 256;
const WATCHED = 20;

/** What it costs that there is much: many workers, and a dispatcher that dies amid a long queue. */
export async function scale({ scratch, rounds, cores, tell }: Setup): Promise<Row[]> {
  const files = new BenchProject(scratch, "scale");
  files.drop(FILES, "/bin/true");
  await files.hire(cores);
  const successions: number[] = [];
  for (let n = 1; n <= rounds; n++) {
    tell(`scale, a dispatcher dies, round ${n} of ${rounds}`);
    successions.push(await succession(files));
  }
  await files.fire();
  tell(`scale, ${WORKERS} workers`);
  const share = await manyWorkers(new BenchProject(scratch, "scale"));
  return [
    row(
      `a dispatcher is killed amid ${FILES} files: until its successor, started then, has handed out`,
      median(successions),
      "s",
      2,
      atMost(median(successions), 2, "s"),
    ),
    row(
      `a dispatcher with ${WORKERS} workers that have nothing to do`,
      share,
      "% CPU",
      1,
      atMost(share, 50, "%"),
    ),
  ];
}

/** Seconds from the death of a dispatcher, with the start of the next, until a job starts that was handed out by that one. */
async function succession(project: BenchProject): Promise<number> {
  const first = project.stay();
  const before = project.done;
  while (project.done < before + 500) await delay(20);
  kill(first.pid, "SIGKILL");
  await first.gone;
  // What lies on the desks still is the dead one's work.
  while (project.onDesks > 0) await delay(2);
  const begin = performance.now();
  const second: RunningDispatcher = project.stay();
  while (project.onDesks === 0) await delay(2);
  const seconds = (performance.now() - begin) / 1000;
  await second.stop();
  return seconds;
}

/** CPU of a dispatcher that hears of many, of whom each beats as a worker does: through one file, every 2 s. */
async function manyWorkers(project: BenchProject): Promise<number> {
  const { layout } = project;
  const store = openStore(layout.root, "local");
  const announcementOf = (n: number, counter: number) => ({
    worker: `bench-w-${String(n).padStart(8, "0")}`,
    host: "elsewhere",
    process: { pid: n + 2, start: "1", space: `${ownPidSpace()}-elsewhere` },
    state: "idle" as const,
    beat: counter,
    slots: 1,
    pace: 0,
    spread: 0,
    group: "",
    directory: layout.root,
    since: new Date().toISOString(),
    log: "",
  });
  for (let n = 0; n < WORKERS; n++) {
    const announcement = announcementOf(n, 1);
    await announce(store, layout, announcement);
    fs.mkdirSync(layout.desk(announcement.worker));
  }
  const dispatcher = project.stay();
  await delay(3000);
  const before = cpuOf(dispatcher.pid).own;
  const begin = performance.now();
  for (let counter = 2; performance.now() - begin < WATCHED * 1000; counter++) {
    const next = begin + (counter - 1) * 2000;
    for (let n = 0; n < WORKERS; n++) {
      await announce(store, layout, announcementOf(n, counter));
      const due = begin + (counter - 2) * 2000 + (n * 2000) / WORKERS;
      if (due > performance.now()) await delay(due - performance.now());
    }
    await delay(Math.max(0, next - performance.now()));
  }
  const used = cpuOf(dispatcher.pid).own - before;
  const seconds = (performance.now() - begin) / 1000;
  await dispatcher.stop();
  return (used / seconds) * 100;
}
