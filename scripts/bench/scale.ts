import fs from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { announce } from "../../src/spool/announcement.js";
import { ownPidSpace } from "../../src/spool/identity.js";
import { openStore } from "../../src/store/open-store.js";
import { kill } from "../../test/rig/processes.js";
import { siteOf } from "../../test/rig/site.js";
import { BenchProject, type RunningDispatcher } from "./bench-project.js";
import { atMost, median, type Row, row } from "./measure.js";
import { cpuOf } from "./proc.js";
import type { Setup } from "./setup.js";

/** Number of waiting job files. */
const FILES = 100_000;
/** Number of simulated workers. Each has a desk and a heartbeat. */
const WORKERS = 256;
/** Time for which the dispatcher is watched, in s. */
const WATCHED = 20;

/** Measures a dispatcher with many workers, and a new dispatcher after one was killed with a long queue. */
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
      `a dispatcher is killed with ${FILES} files left: until its successor hands out`,
      median(successions),
      "s",
      2,
      atMost(median(successions), 2, "s"),
    ),
    row(`a dispatcher with ${WORKERS} idle workers`, share, "% CPU", 1, atMost(share, 50, "%")),
  ];
}

/** Seconds from the start of a new dispatcher, right after the old one was killed, until it has assigned a job. */
async function succession(project: BenchProject): Promise<number> {
  const first = project.stay();
  const before = project.done;
  while (project.done < before + 500) await delay(20);
  kill(first.pid, "SIGKILL");
  await first.gone;
  // The jobs on the desks were assigned by the killed dispatcher.
  while (project.onDesks > 0) await delay(2);
  const begin = performance.now();
  const second: RunningDispatcher = project.stay();
  while (project.onDesks === 0) await delay(2);
  const seconds = (performance.now() - begin) / 1000;
  await second.stop();
  return seconds;
}

/** CPU share of a dispatcher with many idle workers, in percent. Each simulated worker writes its heartbeat every 2 s. */
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
    await announce(siteOf(store, layout), announcement);
    fs.mkdirSync(layout.desk(announcement.worker));
  }
  const dispatcher = project.stay();
  await delay(3000);
  const before = cpuOf(dispatcher.pid).own;
  const begin = performance.now();
  for (let counter = 2; performance.now() - begin < WATCHED * 1000; counter++) {
    const next = begin + (counter - 1) * 2000;
    for (let n = 0; n < WORKERS; n++) {
      await announce(siteOf(store, layout), announcementOf(n, counter));
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
