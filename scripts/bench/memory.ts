import { setTimeout as delay } from "node:timers/promises";
import { BenchProject } from "./bench-project.js";
import { atMost, type Row, row } from "./measure.js";
import { cpuOf, peakMemoryOf } from "./proc.js";
import type { Setup } from "./setup.js";

/** Number of waiting jobs. */
const WAITING = 100_000;
/** Number of jobs for each worker before its memory is read. */
const EACH = 5000;
/** Largest memory, in MB. */
const DISPATCHER_LIMIT = 150;
const WORKER_LIMIT = 80;
const MB = 1e6;

/** Waits until a process has used little CPU for a second. The dispatcher has read the whole queue then. */
async function untilQuiet(pid: number): Promise<void> {
  for (let before = cpuOf(pid).own; ; ) {
    await delay(1000);
    const after = cpuOf(pid).own;
    if (after - before < 0.2) return;
    before = after;
  }
}

/** Measures peak memory with a long queue: after the dispatcher has read all jobs, and after workers have run some of them. */
export async function memory({ scratch, cores, tell }: Setup): Promise<Row[]> {
  const project = new BenchProject(scratch, "memory");
  tell(`memory, making ${WAITING} jobs`);
  project.drop(WAITING, "/bin/true");
  tell("memory, the dispatcher reads them");
  const dispatcher = project.stay();
  await untilQuiet(dispatcher.pid);
  const cpuOfReading = cpuOf(dispatcher.pid).own;
  const afterReading = peakMemoryOf(dispatcher.pid) / MB;
  tell(`memory, ${EACH * cores} jobs run`);
  const workers = await project.hire(cores);
  await project.untilDone(EACH * cores);
  const ofDispatcher = peakMemoryOf(dispatcher.pid) / MB;
  const ofWorkers = Math.max(...workers.map(({ worker }) => peakMemoryOf(worker) / MB));
  await dispatcher.stop();
  await project.fire();
  const limit = atMost(ofDispatcher, DISPATCHER_LIMIT, "MB");
  return [
    row(`dispatcher, peak with ${WAITING} waiting, after the reading`, afterReading, "MB", 0),
    row(`dispatcher, peak when ${EACH * cores} of them were done`, ofDispatcher, "MB", 0, limit),
    row(
      `worker, peak after about ${EACH} jobs, the largest`,
      ofWorkers,
      "MB",
      0,
      atMost(ofWorkers, WORKER_LIMIT, "MB"),
    ),
    row(`CPU of the dispatcher to read ${WAITING} job files`, cpuOfReading, "s", 1),
  ];
}
